import { connect, type Socket } from "node:net";

/** A connection that sends a request when the one before is answered: as little work as can be, for load. */
export interface Connection {
  /** Resolves with the answer's head when its body, which is thrown away, has been read. */
  exchange(head: string, ...body: readonly Uint8Array[]): Promise<string>;
  end(): void;
}

const bufferSize = 1024 * 1024;
const endOfHead = "\r\n\r\n";

/** Connects to a port of 127.0.0.1; what comes is read into one buffer, again and again. */
export async function open(port: number): Promise<Connection> {
  const buffer = Buffer.allocUnsafe(bufferSize);
  let head = "";
  let left = -1;
  let isHead = false;
  let waiting: PromiseWithResolvers<string> | undefined;
  const callback = (length: number): boolean => {
    if (left >= 0) left -= length;
    else {
      head += buffer.toString("latin1", 0, length);
      const end = head.indexOf(endOfHead);
      if (end < 0) return true;
      left = isHead ? 0 : lengthOf(head) - (head.length - end - endOfHead.length);
      head = head.slice(0, end);
    }
    if (left > 0) return true;
    const [answer, done] = [head, waiting];
    [head, left, waiting] = ["", -1, undefined];
    done?.resolve(answer);
    return true;
  };
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer, callback } });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.on("close", () => waiting?.reject(new Error("the registry closed the connection")));
  return {
    exchange(request, ...body) {
      waiting = Promise.withResolvers();
      isHead = request.startsWith("HEAD ");
      socket.cork();
      socket.write(request, "latin1");
      for (const piece of body) socket.write(piece);
      socket.uncork();
      return waiting.promise;
    },
    end: () => void socket.end(),
  };
}

function lengthOf(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? 0);
}

/** The head of a request without `Expect`, with a body of so many bytes. */
export function requestHead(method: string, path: string, host: string, length = 0): string {
  const type = length > 0 ? "Content-Type: application/octet-stream\r\n" : "";
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${type}Content-Length: ${length}\r\n\r\n`;
}

/** Throws where an answer's status is another. */
export function expectStatus(head: string, status: number): void {
  if (!head.startsWith(`HTTP/1.1 ${status}`)) throw new Error(`${status} expected: ${head}`);
}

/** Works through tasks, so many at a time, each on a connection of its own; gives the seconds it took. */
export async function spend<Task>(
  port: number,
  concurrency: number,
  tasks: Iterable<Task>,
  work: (connection: Connection, task: Task) => Promise<void>,
): Promise<number> {
  const connections = await Promise.all(Array.from({ length: concurrency }, () => open(port)));
  const left = Iterator.from(tasks);
  const before = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (let task = left.next(); task.done !== true; task = left.next()) await work(connection, task.value);
    }),
  );
  const seconds = (performance.now() - before) / 1000;
  for (const connection of connections) connection.end();
  return seconds;
}
