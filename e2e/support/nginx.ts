import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { authority, serverCertificate, serverKey } from "../../test/transport/certificates.ts";
import { peer } from "./peers.ts";
import { start } from "./run.ts";

export interface NginxOptions {
  /** The registry behind it: `host:port`. */
  readonly upstream: string;
  /** Whether it wants a certificate of the test authority from its clients. */
  readonly clientCertificates?: boolean;
  /** The path that it takes off before the registry's; the registry is below it alone. */
  readonly below?: string;
}

/** An nginx before a registry on a loopback port, over TLS with a certificate of the test authority. */
export interface Nginx extends AsyncDisposable {
  readonly host: string;
  /** The request lines that have come over TLS so far. */
  readonly requests: () => readonly string[];
}

/** Starts an nginx of its own, with everything it writes in a directory of its own. */
export async function startNginx({ upstream, clientCertificates, below = "" }: NginxOptions): Promise<Nginx> {
  const work = await mkdtemp(join(tmpdir(), "gantry-e2e-nginx-"));
  const port = await freePort();
  const files = { "ca.pem": authority, "cert.pem": serverCertificate, "key.pem": serverKey };
  for (const [name, text] of Object.entries(files)) await writeFile(join(work, name), text);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const conf = `
    daemon off;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    worker_processes 1;
    pid ${work}/pid;
    error_log stderr crit;
    events {}
    http {
      log_format line "$https $request";
      access_log ${work}/access.log line;
      ${temporary.map((name) => `${name}_temp_path ${work}/${name};`).join("\n")}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${work}/cert.pem;
        ssl_certificate_key ${work}/key.pem;
        ${clientCertificates ? `ssl_client_certificate ${work}/ca.pem; ssl_verify_client on;` : ""}
        client_max_body_size 0;
        location ${below}/v2/ {
          proxy_pass http://${upstream}/v2/;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-Proto https;
        }
      }
    }`;
  await writeFile(join(work, "nginx.conf"), conf);
  const running = start(peer("nginx")!.path, ["-p", work, "-e", "stderr", "-c", join(work, "nginx.conf")]);
  const stop = async (): Promise<void> => {
    await running.stop();
    await rm(work, { recursive: true, force: true });
  };
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries === 200 || !running.alive()) {
      await stop();
      throw new Error(`nginx did not come up:\n${running.stderr()}`);
    }
    await delay(50);
  }
  return {
    host: `127.0.0.1:${port}`,
    requests: () =>
      readFileSync(join(work, "access.log"), "utf8")
        .split("\n")
        .flatMap((line) => /^on (.*)/.exec(line)?.[1] ?? []),
    [Symbol.asyncDispose]: stop,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
