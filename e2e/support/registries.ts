import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hash } from "bcryptjs";
import { gantryPath, type Outcome, type Running, start } from "./run.ts";
import { peer } from "./peers.ts";

/** A registry in a process of its own on a loopback port, over plain HTTP. */
export interface RunningRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly pid: number;
  readonly dataDir: string;
  /** What it has written to stderr so far. */
  readonly log: () => string;
  /** Ends it with a signal, as a crash would, and keeps its data. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Outcome>;
  /** Ends it with SIGTERM and removes the data directory unless the caller brought one. */
  readonly stop: () => Promise<void>;
}

/** Passwords by user name, for Basic authentication. */
type Users = Readonly<Record<string, string>>;

/** Settings of Debian's docker-registry; deleting is allowed unless told otherwise. */
export interface DockerRegistryOptions {
  readonly htpasswd?: Users;
  readonly delete?: boolean;
  /** Where its directory is made: among the temporary files unless told. */
  readonly folder?: string;
  /** The URL of another registry, which it then answers for, keeping what passes. */
  readonly proxy?: string;
  /** Keeps what it knows of blobs in memory, as Debian's own configuration does. */
  readonly cache?: boolean;
}

/** Settings of `gantry serve`; a `dataDir` or `port` given here outlives the process, for a restart. */
export interface GantryRegistryOptions {
  readonly htpasswd?: Users;
  readonly args?: readonly string[];
  readonly dataDir?: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Where its directory is made: among the temporary files unless told. */
  readonly folder?: string;
}

/** Starts Debian's docker-registry (distribution 2.8) over an empty directory. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<RunningRegistry> {
  const found = peer("docker-registry");
  if (found === undefined) throw new Error("docker-registry is absent: run scripts/peers");
  const work = await mkdtemp(join(options.folder ?? tmpdir(), "gantry-e2e-registry-"));
  const dataDir = join(work, "data");
  return await serve(dataDir, work, undefined, async (host) => {
    const auth = options.htpasswd && {
      htpasswd: { realm: "e2e", path: await writeHtpasswd(work, options.htpasswd) },
    };
    const config = {
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: dataDir },
        delete: { enabled: options.delete ?? true },
        ...(options.cache && { cache: { blobdescriptor: "inmemory" } }),
      },
      http: { addr: host },
      ...(auth && { auth }),
      ...(options.proxy !== undefined && { proxy: { remoteurl: options.proxy } }),
    };
    await writeFile(join(work, "config.yml"), JSON.stringify(config)); // JSON is YAML too.
    return start(found.path, ["serve", join(work, "config.yml")]);
  });
}

/** Starts the embedded registry through the built command line: `gantry serve`. */
export async function startGantryRegistry(options: GantryRegistryOptions = {}): Promise<RunningRegistry> {
  const work = await mkdtemp(join(options.folder ?? tmpdir(), "gantry-e2e-registry-"));
  const dataDir = options.dataDir ?? join(work, "data");
  return await serve(dataDir, work, options.port, async (host) => {
    const users = options.htpasswd && ["--htpasswd", await writeHtpasswd(work, options.htpasswd)];
    const args = ["serve", "--data", dataDir, "--listen", host, ...(users ?? []), ...(options.args ?? [])];
    return start(gantryPath, args, { env: options.env ?? {} });
  });
}

/** A port of 127.0.0.1 that nothing listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function serve(
  dataDir: string,
  work: string,
  port: number | undefined,
  launch: (host: string) => Promise<Running>,
): Promise<RunningRegistry> {
  const remove = async (): Promise<void> => await rm(work, { recursive: true, force: true, maxRetries: 3 });
  // Between finding a free port and listening on it, somebody else may take it.
  for (let tries = port === undefined ? 3 : 1; ; tries--) {
    const host = `127.0.0.1:${port ?? (await freePort())}`;
    const running = await launch(host);
    const stop = async (): Promise<void> => {
      await running.stop();
      await remove();
    };
    const kill = async (signal: NodeJS.Signals): Promise<Outcome> => {
      running.kill(signal);
      return await running.ended;
    };
    if (await answers(host, running)) {
      return { host, pid: running.pid, dataDir, log: running.stderr, kill, stop, [Symbol.asyncDispose]: stop };
    }
    const { stderr } = await running.stop();
    if (tries > 1 && /in use/i.test(stderr)) continue;
    await remove();
    throw new Error(`no registry came up at ${host}:\n${stderr}`);
  }
}

/** Whether the registry answers at /v2/ before it ends, and within 20 seconds. */
async function answers(host: string, running: Running): Promise<boolean> {
  for (let tries = 0; tries < 400 && running.alive(); tries++) {
    const status = await fetch(`http://${host}/v2/`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200 || status === 401) return running.alive();
    await delay(50);
  }
  return false;
}

async function writeHtpasswd(folder: string, users: Users): Promise<string> {
  const lines = Object.entries(users).map(async ([user, password]) => `${user}:${await hash(password, 5)}\n`);
  const path = join(folder, "htpasswd");
  await writeFile(path, (await Promise.all(lines)).join(""));
  return path;
}
