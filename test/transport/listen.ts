import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server on a free port of this machine, to be closed by `await using`. */
export interface Listening extends AsyncDisposable {
  readonly url: URL;
  readonly server: Server;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Runs an HTTP server for one test. */
export async function listen(handler: Handler, server: Server = createServer()): Promise<Listening> {
  server.on("request", (request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const protocol = "setSecureContext" in server ? "https" : "http";
  return {
    server,
    url: new URL(`${protocol}://127.0.0.1:${port}/`),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** All the bytes that a request brings. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Answers with a text. */
export function answer(
  response: ServerResponse,
  status: number,
  text = "",
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(text), ...headers });
  response.end(text);
}
