import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { TlsOptions } from "../tls.ts";
import type { OnRead } from "./connection.ts";

/** Opens a socket that reads into buffers of ours. */
export type Opener = (onread: OnRead) => Socket;

/** Opens TCP sockets. */
export function plainOpener(url: URL): Opener {
  const net = process.getBuiltinModule("node:net");
  return (onread) => net.connect({ host: bareName(url), port: Number(url.port || 80), noDelay: true, onread });
}

/** Opens TLS sockets; a session with the host is taken up again where there was one. */
export function secureOpener(url: URL, options: TlsOptions | undefined, sessions: Map<string, Buffer>): Opener {
  const tls = process.getBuiltinModule("node:tls");
  const { isIP } = process.getBuiltinModule("node:net");
  const host = bareName(url);
  const session = sessions.get(url.host);
  return (onread) => {
    const socket = tls.connect({
      host,
      port: Number(url.port || 443),
      ALPNProtocols: ["http/1.1"],
      ...(isIP(host) === 0 && { servername: host }),
      ...(session && { session }),
      ...options,
      onread,
    } as ConnectionOptions);
    socket.setNoDelay(true);
    socket.on("session", (fresh) => sessions.set(url.host, fresh));
    return socket;
  };
}

function bareName(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
