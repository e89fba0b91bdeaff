import type { Socket } from "node:net";
import { proxyRefusal } from "./proxy-fault.ts";
import { parseHead, type Head } from "./raw/head.ts";
import type { Route } from "./routes.ts";

/** The longest answer to a CONNECT that is read, in bytes. */
const headLimit = 32 * 1024;

/** Has the proxy at the other end of a socket connect it to the route's host (CONNECT: RFC 9110, 9.3.6). */
export async function openTunnel(socket: Socket, route: Route, stop: AbortSignal): Promise<void> {
  const { host, port, address = host, proxy } = route;
  const target = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const lines = Object.entries({ host: target, ...proxy!.login() }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`CONNECT ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  const { status, headers } = await readHead(socket, stop);
  if (status < 200 || status > 299) throw proxyRefusal({ status, headers }, route, proxy!);
}

/** Reads a response's head; what comes after it stays in the socket. */
async function readHead(socket: Socket, stop: AbortSignal): Promise<Head> {
  const { promise, resolve, reject } = Promise.withResolvers<Head>();
  let bytes = Buffer.alloc(0);
  const read = (): void => {
    try {
      for (let piece: Buffer | null; (piece = socket.read() as Buffer | null);) bytes = Buffer.concat([bytes, piece]);
      if (bytes.length > headLimit)
        return reject(Object.assign(new Error("too long"), { code: "HPE_HEADER_OVERFLOW" }));
      const head = parseHead(bytes);
      if (!head) return;
      if (bytes.length > head.length) socket.unshift(bytes.subarray(head.length));
      resolve(head);
    } catch (error) {
      reject(Object.assign(error as Error, { code: "HPE_INVALID_CONSTANT" }));
    }
  };
  const close = (): void => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
  const abort = (): void => reject(stop.reason as Error);
  socket.on("readable", read).once("end", close).once("close", close).on("error", reject);
  stop.addEventListener("abort", abort, { once: true });
  if (stop.aborted) abort();
  try {
    return await promise;
  } finally {
    socket.off("readable", read).off("end", close).off("close", close);
    stop.removeEventListener("abort", abort);
  }
}
