import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { peer, type PeerName } from "./peers.ts";
import { start, type Running } from "./run.ts";

/** A server of others on a free loopback port. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** What its access log says so far. */
  readonly log: () => Promise<string>;
}

/** A user and a password that a proxy wants. */
interface ProxyOptions {
  readonly login?: readonly [user: string, password: string];
}

/** Starts tinyproxy, a forward proxy. */
export function startTinyproxy({ login }: ProxyOptions = {}): Promise<RunningServer> {
  return serve("tinyproxy", async (port, work) => {
    const log = join(work, "log");
    const lines = [`Port ${port}`, "Listen 127.0.0.1", `LogFile "${log}"`, "LogLevel Connect", "MaxClients 50"];
    if (login) lines.push(`BasicAuth ${login.join(" ")}`);
    await writeFile(join(work, "conf"), `${lines.join("\n")}\n`);
    return ["-d", "-c", join(work, "conf")];
  });
}

/** Starts squid, a forward proxy, which opens no tunnels to the port that is denied. */
export function startSquid({ denied }: { readonly denied?: number } = {}): Promise<RunningServer> {
  return serve("squid", async (port, work) => {
    const lines = [
      `http_port 127.0.0.1:${port}`,
      ...(denied === undefined ? [] : [`acl denied port ${denied}`, "http_access deny denied"]),
      "http_access allow all",
      "cache deny all",
      `pid_filename ${join(work, "pid")}`,
      `cache_log ${join(work, "cache")}`,
      `access_log stdio:${join(work, "log")}`,
      `coredump_dir ${work}`,
      "shutdown_lifetime 0 seconds",
      "dns_timeout 3 seconds",
      "pinger_enable off",
    ];
    await writeFile(join(work, "conf"), `${lines.join("\n")}\n`);
    return ["-N", "-f", join(work, "conf")];
  });
}

/** Starts nginx before another server; `lines` are more of its `server` block. */
export function startNginx(upstream: string, lines: readonly string[] = []): Promise<RunningServer> {
  const secure = lines.some((line) => line.startsWith("ssl_certificate "));
  return serve("nginx", async (port, work) => {
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${work}/${name};`,
    );
    await writeFile(
      join(work, "conf"),
      `daemon off; worker_processes 1; pid ${work}/pid; error_log ${work}/error;
events { worker_connections 256; }
http {
  ${paths.join(" ")}
  access_log ${work}/log;
  server {
    listen 127.0.0.1:${port}${secure ? " ssl" : ""};
    ${lines.map((line) => `${line};`).join("\n    ")}
    location / {
      proxy_pass http://${upstream};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_request_buffering off;
      proxy_http_version 1.1;
    }
  }
}
`,
    );
    return ["-e", join(work, "error"), "-c", join(work, "conf")];
  });
}

async function serve(
  name: PeerName,
  configure: (port: number, work: string) => Promise<readonly string[]>,
): Promise<RunningServer> {
  const found = peer(name);
  if (found === undefined) throw new Error(`${name} is absent: run scripts/peers`);
  const work = await mkdtemp(join(tmpdir(), `gantry-e2e-${name}-`));
  // Those that give root up as they start have to reach their files all the same.
  await chmod(work, 0o777);
  await mkdir(join(work, "run"));
  const port = await freePort();
  const running = start(found.path, await configure(port, work));
  const stop = async (): Promise<void> => {
    await running.stop();
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  };
  if (!(await listens(port, running))) {
    const notes = await Promise.all(
      ["error", "cache", "log"].map((file) => readFile(join(work, file), "utf8").catch(() => "")),
    );
    await stop();
    throw new Error(`${name} did not come up:\n${running.stderr()}${running.stdout()}${notes.join("")}`);
  }
  return { port, log: () => readFile(join(work, "log"), "utf8"), [Symbol.asyncDispose]: stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(port: number, running: Running): Promise<boolean> {
  for (let tries = 0; tries < 400 && running.alive(); tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return true;
    await delay(50);
  }
  return false;
}
