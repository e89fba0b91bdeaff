import { createServer, request as plainRequest, type Server } from "node:http";
import { connect } from "node:net";
import { listen, type Listening } from "./listen.ts";

/** A forward proxy for one test. */
export interface ProxyServer extends Listening {
  /** What it was asked for, in order: `CONNECT host:port`, `GET http://...`, each with the user it was shown. */
  readonly seen: readonly string[];
}

/** Runs a forward proxy that takes every name for this machine. */
export async function proxyServer(server: Server = createServer()): Promise<ProxyServer> {
  const seen: string[] = [];
  const note = (what: string, login: string | undefined): void => {
    const user = login && Buffer.from(login.replace("Basic ", ""), "base64").toString();
    seen.push([what, user].filter(Boolean).join(" as "));
  };
  server.on("connect", ({ url, headers }, socket, head) => {
    note(`CONNECT ${url}`, headers["proxy-authorization"]);
    const target = connect(Number(url!.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.write(head);
      socket.pipe(target).pipe(socket);
    });
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy()).on("close", () => target.destroy());
  });
  const listening = await listen(({ method, url, headers }, response) => {
    note(`${method} ${url}`, headers["proxy-authorization"]);
    const { port, pathname, search } = new URL(url!);
    const outgoing = plainRequest({ port, path: pathname + search, host: "127.0.0.1", method: method!, headers });
    outgoing.on("response", (incoming) => {
      response.writeHead(incoming.statusCode!, incoming.headers);
      incoming.pipe(response);
    });
    outgoing.on("error", () => response.writeHead(502).end()).end();
  }, server);
  return { ...listening, seen };
}
