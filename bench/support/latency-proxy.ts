// Passes TCP connections on, all that comes later by a fixed time: `node latency-proxy.ts MS PORT...`.
// Writes the ports it listens on, one for each PORT of 127.0.0.1 that it leads to, as a JSON array.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const [delay = 0, ...targets] = process.argv.slice(2).map(Number);

/** Writes what comes from one socket to another `delay` ms later; it never holds anything back for longer. */
function pass(from: Socket, to: Socket): void {
  const waiting: { readonly due: number; readonly piece: Buffer | undefined }[] = [];
  const send = (): void => {
    const now = performance.now();
    while (waiting[0] && waiting[0].due <= now) {
      const { piece } = waiting.shift()!;
      if (piece) to.write(piece);
      else to.end();
    }
    if (waiting[0]) setTimeout(send, waiting[0].due - now);
  };
  const enqueue = (piece?: Buffer): void => {
    waiting.push({ due: performance.now() + delay, piece });
    if (waiting.length === 1) setTimeout(send, delay);
  };
  from.on("data", enqueue);
  from.on("end", () => enqueue());
  from.on("error", () => to.destroy());
}

async function listen(target: number): Promise<number> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const registry = connect({ port: target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    pass(client, registry);
    pass(registry, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

console.log(JSON.stringify(await Promise.all(targets.map(listen))));
