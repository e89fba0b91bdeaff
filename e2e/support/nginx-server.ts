import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { peer } from "./peers.ts";
import { start } from "./run.ts";

/** An nginx on a loopback port that ends TLS. */
export interface RunningNginx extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string;
}

export interface NginxOptions {
  readonly cert: string;
  readonly key: string;
  /** The authority of client certificates, where they are wanted. */
  readonly clientCa?: string;
  /** What is in its `server` block. */
  readonly server: string;
}

/** Starts Debian's nginx with one server of its own. */
export async function startNginxServer({ cert, key, clientCa, server }: NginxOptions): Promise<RunningNginx> {
  const found = peer("nginx");
  if (found === undefined) throw new Error("nginx is absent: run scripts/peers");
  const work = await mkdtemp(join(tmpdir(), "gantry-e2e-nginx-"));
  const port = await freePort();
  await Promise.all([
    writeFile(join(work, "cert.pem"), cert),
    writeFile(join(work, "key.pem"), key),
    writeFile(join(work, "ca.pem"), clientCa ?? ""),
    writeFile(join(work, "nginx.conf"), configuration(port, clientCa !== undefined, server)),
  ]);
  const running = start(found.path, ["-p", work, "-e", join(work, "error.log"), "-c", join(work, "nginx.conf")]);
  const stop = async (): Promise<void> => {
    await running.stop();
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  };
  for (let tries = 0; tries < 200 && running.alive(); tries++) {
    if (await listens(port)) return { host: `localhost:${port}`, [Symbol.asyncDispose]: stop };
    await delay(50);
  }
  const { stderr } = await running.stop();
  throw new Error(`nginx did not come up:\n${stderr}`);
}

function configuration(port: number, wantsCertificate: boolean, server: string): string {
  const verify = wantsCertificate ? "ssl_client_certificate ca.pem; ssl_verify_client on;" : "";
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`);
  return `daemon off; master_process off; pid nginx.pid; worker_processes 1;
events {}
http {
  access_log off; ${folders.join(" ")}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate cert.pem; ssl_certificate_key key.pem; ${verify}
    ${server}
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}
