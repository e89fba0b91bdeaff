import type { NetConnectOpts, Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { isIP } from "./no-proxy.ts";
import { proxyFault } from "./proxy-fault.ts";
import type { Route } from "./routes.ts";
import type { TlsOptions } from "./tls.ts";
import { openTunnel } from "./tunnel.ts";

/** What Node's sockets take to write into our buffers: asked for a buffer after each read, even one that stops reading. */
export interface OnRead {
  readonly buffer: () => Buffer;
  readonly callback: (length: number) => boolean;
}

/** An end that a socket is opened to. */
interface Hop {
  /** What its certificate has to be for. */
  readonly name: string;
  /** What is connected to. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly tls?: TlsOptions | undefined;
}

/** TLS sessions by host and port, to be taken up again. */
export type Sessions = Map<string, Buffer>;

interface Dialing {
  readonly route: Route;
  readonly sessions: Sessions;
  /** Ends it, with the reason to reject with. */
  readonly stop: AbortSignal;
}

/** Whether the first end that a socket meets, the host or its proxy, speaks TLS. */
export function startsWithTls(route: Route): boolean {
  return firstHop(route).isTls || isTunnelled(route);
}

/**
 * Opens a socket by a route: to the host, or to its proxy and, where the host speaks TLS, through it. `make` gets a
 * function that opens the last socket at once, and makes of it what it likes before anything is read. Nothing is sent
 * to the host before it has proven who it is. Rejects with what broke the connection.
 */
export async function dial<T extends { readonly socket: Socket }>(
  { route, sessions, stop }: Dialing,
  make: (open: (onread?: OnRead) => Socket) => T,
): Promise<T> {
  const first = firstHop(route);
  const faulty = (error: unknown): unknown => (route.proxy ? proxyFault(error, route, route.proxy) : error);
  if (!isTunnelled(route)) {
    const made = make((onread) => openSocket(first, sessions, onread));
    await ready(made.socket, first.isTls, stop).catch((error: unknown) => Promise.reject(faulty(error)));
    return made;
  }
  const outer = openSocket(first, sessions);
  try {
    await ready(outer, first.isTls, stop);
    await openTunnel(outer, route, stop);
  } catch (error) {
    outer.destroy();
    throw faulty(error);
  }
  const made = make((onread) => openSocket(hostOf(route), sessions, onread, outer));
  await ready(made.socket, true, stop);
  return made;
}

function isTunnelled({ proxy, isTls }: Route): boolean {
  return proxy !== undefined && isTls;
}

function firstHop(route: Route): Hop {
  const { proxy, proxyTls } = route;
  if (!proxy) return hostOf(route);
  const { name, url } = proxy;
  const colon = name.lastIndexOf(":");
  const host = name.slice(0, colon).replace(/^\[|\]$/g, "");
  return { name: host, host, port: Number(name.slice(colon + 1)), isTls: url.protocol === "https:", tls: proxyTls };
}

function hostOf({ host, port, isTls, address, tls }: Route): Hop {
  return { name: host, host: address ?? host, port, isTls, tls };
}

/** Opens a TCP or TLS socket; over `outer`, where there is one already. */
function openSocket(hop: Hop, sessions: Sessions, onread?: OnRead, outer?: Socket): Socket {
  const { name, host, port, isTls } = hop;
  if (!isTls) {
    const net = process.getBuiltinModule("node:net");
    return net.connect({ host, port, noDelay: true, ...(onread && { onread }) } as NetConnectOpts);
  }
  const tls = process.getBuiltinModule("node:tls");
  const key = `${name}:${port}`;
  const session = sessions.get(key);
  const socket = tls.connect({
    ...(outer ? { socket: outer } : { host, port, ...(onread && { onread }) }),
    ALPNProtocols: ["http/1.1"],
    // An address cannot be a server name: what is in the certificate is compared all the same.
    ...(isIP(name) === 0
      ? { servername: name }
      : {
          checkServerIdentity: (_: string, certificate: object) => tls.checkServerIdentity(name, certificate as never),
        }),
    ...(session && { session }),
    ...hop.tls,
  } as ConnectionOptions);
  socket.setNoDelay(true);
  socket.on("session", (fresh) => sessions.set(key, fresh));
  if (outer) {
    outer.on("error", (error) => socket.destroy(error));
    if (onread) feed(socket, onread);
  }
  return socket;
}

/** Reads for a socket over another, which Node does not let read into our buffers by itself. */
function feed(socket: Socket, { buffer, callback }: OnRead): void {
  socket.on("data", (piece: Buffer) => {
    for (let from = 0; from < piece.length && !socket.destroyed;) {
      const length = piece.copy(buffer(), 0, from);
      from += length;
      if (!callback(length)) socket.pause();
    }
  });
}

/** Waits until a socket is connected and, with TLS, has proven who it is. */
async function ready(socket: Socket, isTls: boolean, stop: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const event = isTls ? "secureConnect" : "connect";
  const close = (): void => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
  const end = (): void => {
    reject(stop.reason as Error);
    socket.destroy();
  };
  socket.once(event, resolve).once("error", reject).once("close", close);
  stop.addEventListener("abort", end, { once: true });
  if (stop.aborted) end();
  try {
    await promise;
  } finally {
    socket.off(event, resolve).off("close", close);
    stop.removeEventListener("abort", end);
    // Whoever waits for the socket's end listens by now, or has been told.
    setImmediate(() => socket.off("error", reject));
  }
}
