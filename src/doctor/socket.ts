import type { LookupAddress } from "node:dns";
import type { Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { aborted } from "../transport/clock.ts";
import { basicUserInfo } from "./route.ts";

/** The addresses of a name, as programs on this machine see them. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Opens a TCP connection to an IP address. */
export type Connect = (to: { readonly address: string; readonly port: number }, signal: AbortSignal) => Promise<Socket>;

/** The system's resolver. */
export const systemLookup: Lookup = (hostname) => {
  const { lookup } = process.getBuiltinModule("node:dns/promises");
  return lookup(hostname, { all: true, order: "verbatim" });
};

/** Node's sockets. */
export const systemConnect: Connect = ({ address, port }, signal) => {
  const { connect } = process.getBuiltinModule("node:net");
  const socket = connect({ host: address, port });
  return settled(socket, "connect", signal);
};

/** Speaks TLS over a connection; the certificate is accepted whatever it is, unless `rejectUnauthorized` says otherwise. */
export function handshake(socket: Socket, options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { connect } = process.getBuiltinModule("node:tls");
  const secure = connect({ rejectUnauthorized: false, ...options, socket, ALPNProtocols: ["http/1.1"] });
  return settled(secure, "secureConnect", signal);
}

/** What a proxy answers to CONNECT, and the connection that then leads to `authority`. */
export function tunnel(
  socket: Socket,
  proxy: URL,
  authority: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly socket: Socket }> {
  const { request } = process.getBuiltinModule("node:http");
  const login = basicUserInfo(proxy);
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      path: authority,
      headers: { host: authority, ...(login && { "proxy-authorization": login }) },
      createConnection: () => socket,
      signal,
    });
    asked.once("connect", ({ statusCode = 0 }, through: Socket) => resolve({ status: statusCode, socket: through }));
    asked.once("error", (error) => reject(signal.aborted ? aborted(signal) : error));
    asked.end();
  });
}

/** Waits for a socket to be ready; one that fails or takes too long is closed. */
function settled<S extends Socket>(socket: S, event: "connect" | "secureConnect", signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => void socket.destroy(aborted(signal));
    socket.once(event, () => {
      signal.removeEventListener("abort", giveUp);
      resolve(socket);
    });
    // What breaks later is for who reads from it.
    socket.on("error", (error) => {
      signal.removeEventListener("abort", giveUp);
      reject(error);
    });
    socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}
