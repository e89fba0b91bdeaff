import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RegistryError } from "../oci/error.ts";

export interface StatusPages {
  readonly healthy: () => boolean;
  readonly ready: () => boolean;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface StatusServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/healthz`, `/readyz` and `/metrics`. Throws CONFLICT where the port is taken. */
export async function serveStatus(
  { host, port }: { readonly host: string; readonly port: number },
  pages: StatusPages,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    const send = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : text);
    };
    if (request.method !== "GET" && request.method !== "HEAD") return send(405, "only GET\n");
    const path = request.url?.split("?")[0];
    if (path === "/healthz") return pages.healthy() ? send(200, "ok\n") : send(503, "the loop stands still\n");
    if (path === "/readyz") return pages.ready() ? send(200, "ready\n") : send(503, "not ready\n");
    if (path !== "/metrics") return send(404, "there are /healthz, /readyz and /metrics\n");
    pages.metrics.text().then(
      (text) => send(200, text, pages.metrics.contentType),
      () => send(500, "the metrics cannot be read\n"),
    );
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      const what = taken ? "another program listens there already" : cause.message;
      reject(
        new RegistryError(taken ? "CONFLICT" : "INVALID", `cannot listen on ${host}:${port}: ${what}`, {
          ...(taken && { hint: "choose another port, or 0 for a free one" }),
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
