import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { RegistryError } from "../oci/error.ts";
import { isLoopback } from "../oci/reference.ts";
import type { ByteStream } from "../oci/stream.ts";
import type { Reply, ServerRequest } from "./message.ts";
import { socketBody } from "./socket-body.ts";

export interface ListenOptions {
  /** An address or a name of this machine; 127.0.0.1 where absent. */
  readonly host?: string;
  /** A free one where absent or 0. */
  readonly port?: number;
  /** Serves HTTPS with this certificate chain and key, in PEM. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /** Listens beyond loopback even though anybody may do anything. */
  readonly open?: boolean;
  /** A connection on which nothing has moved for so many milliseconds, in the middle of a request, is cut; two minutes where absent. */
  readonly idleTimeout?: number;
}

export interface Listening {
  /** `http://127.0.0.1:5000`. */
  readonly url: string;
  /** `127.0.0.1:5000`, as it stands in references. */
  readonly host: string;
  /** Takes no more connections, lets running requests end for `grace` milliseconds (ten seconds where absent), then cuts them. */
  close(grace?: number): Promise<void>;
}

type Handle = (request: ServerRequest) => Promise<Reply>;

/** What is left of a body that nobody wants is read up to this, so that the client gets to see the answer. */
const unwantedLimit = 16 * 1024 * 1024;

/** Serves a handler on a port; throws CONFLICT where the port is taken. */
export async function listen(handle: Handle, options: ListenOptions): Promise<Listening> {
  const { host = "127.0.0.1", port = 0, tls, idleTimeout = 120_000 } = options;
  const settings = { requestTimeout: 0, joinDuplicateHeaders: true, headersTimeout: 30_000, keepAliveTimeout: 75_000 };
  const server = tls
    ? createTlsServer({ ...settings, cert: pem(tls.cert), key: pem(tls.key) })
    : createServer(settings);
  const waiting = new WeakMap<Socket, IncomingMessage>();
  const state = { closing: false };

  const serve = (incoming: IncomingMessage, outgoing: ServerResponse, expectsContinue = false): void => {
    const wire = { incoming, outgoing, secure: tls !== undefined, expectsContinue };
    waiting.set(incoming.socket, incoming);
    handle(serverRequest(wire))
      .then((reply) => {
        waiting.delete(incoming.socket);
        return send(reply, wire, state.closing);
      })
      .then((streamed) => streamed && state.closing && server.closeIdleConnections())
      .catch(() => outgoing.destroy());
  };
  server.on("request", (incoming, outgoing) => serve(incoming, outgoing));
  server.on("checkContinue", (incoming, outgoing) => serve(incoming, outgoing, true));
  server.on("connect", (_, socket) => socket.end("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n"));
  server.setTimeout(idleTimeout, (socket) => {
    // The client has done its part and waits for us: a large upload may be under way to the disk.
    if (!waiting.get(socket)?.complete) socket.destroy();
  });
  await started(server, host, port);
  const name = hostName(host, (server.address() as AddressInfo).port);
  return {
    url: `${tls ? "https" : "http"}://${name}`,
    host: name,
    async close(grace = 10_000) {
      state.closing = true;
      await closed(server, grace);
    },
  };
}

/** Throws INVALID where a registry that is open to anybody would be reachable from other machines. */
export function refuseOpen(isOpen: boolean, { host = "127.0.0.1", open = false }: ListenOptions): void {
  if (!isOpen || open || isLoopback(bracketed(host))) return;
  throw new RegistryError(
    "INVALID",
    `a registry without access control does not listen on ${host}, where other machines reach it`,
    {
      hint: "give it users, let it listen on 127.0.0.1, or say that it is to be open to everybody",
    },
  );
}

interface Wire {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly secure: boolean;
  /** The client waits to be told before it sends the body. */
  expectsContinue: boolean;
}

function serverRequest(wire: Wire): ServerRequest {
  const { incoming, outgoing, secure } = wire;
  return {
    method: incoming.method ?? "",
    target: incoming.url ?? "",
    // Node joins what may be repeated, except for set-cookie, which no request has.
    headers: incoming.headers as Record<string, string>,
    secure,
    body() {
      if (wire.expectsContinue) outgoing.writeContinue();
      wire.expectsContinue = false;
      return socketBody(incoming);
    },
    // No getter: an object literal with one gets a hidden class of its own each time, which V8 keeps.
    remote: incoming.socket.remoteAddress ?? "",
    transient: true,
  };
}

/** Sends an answer; whether it was streamed. */
async function send({ status, headers, body }: Reply, wire: Wire, closing: boolean): Promise<boolean> {
  const { incoming, outgoing } = wire;
  if (closing || wire.expectsContinue) outgoing.shouldKeepAlive = false;
  else if (!incoming.complete) dropBody(incoming);
  outgoing.writeHead(status, headers);
  if (body === undefined || incoming.method === "HEAD") outgoing.end();
  else if (body instanceof Uint8Array) outgoing.end(body);
  else {
    await stream(body, outgoing);
    return true;
  }
  return false;
}

/** A broken stream breaks the connection: a body that is too short must never look whole. */
async function stream(body: ByteStream, outgoing: ServerResponse): Promise<void> {
  for await (const piece of body) {
    if (!(await written(outgoing, piece))) return;
  }
  outgoing.end();
}

/** Resolves once the piece has left for the kernel, so that its buffer may be used again; false where the client is gone. */
function written(outgoing: ServerResponse, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(false);
    outgoing.once("close", gone);
    outgoing.write(piece, (error) => {
      outgoing.off("close", gone);
      resolve(!error);
    });
  });
}

/** Reads what nobody wants and forgets it, up to a limit: a connection cut at once would take the answer with it. */
function dropBody(incoming: IncomingMessage): void {
  let left = unwantedLimit;
  incoming.on("data", (piece: Uint8Array) => {
    left -= piece.byteLength;
    if (left < 0) incoming.socket.destroy();
  });
  incoming.on("error", () => {});
  incoming.resume();
}

async function started(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, unbracketed(host), resolve);
  await promise.catch((cause: NodeJS.ErrnoException) => {
    const taken = cause.code === "EADDRINUSE";
    const what = taken ? "another program listens there already" : cause.message;
    throw new RegistryError(taken ? "CONFLICT" : "INVALID", `cannot listen on ${hostName(host, port)}: ${what}`, {
      hint: taken
        ? "choose another port, or 0 for a free one"
        : "choose an address of this machine, and a port that it lets you have",
      cause,
    });
  });
  server.off("error", reject);
}

async function closed(server: Server, grace: number): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), grace);
  await done;
  clearTimeout(timer);
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === "string" ? text : Buffer.from(text);
}

function hostName(host: string, port: number): string {
  const wildcard = host === "0.0.0.0" || unbracketed(host) === "::" || host === "";
  return `${wildcard ? "127.0.0.1" : bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
