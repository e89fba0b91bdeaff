import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { peer, type PeerName } from "./peers.ts";
import { type Outcome, run } from "./run.ts";

/** Runs a peer with a sub-command and its arguments; what it needs for plain HTTP is added. */
type Client = (...args: readonly string[]) => Promise<Outcome>;

/** The peers that talk to registries, as one user whose home is a directory of the test's. */
export interface Clients {
  readonly skopeo: Client;
  readonly podman: Client;
  readonly buildah: Client;
  readonly crane: Client;
  readonly regctl: Client;
  readonly oras: Client;
}

/** Gives the peers a home: credentials, caches and container storage all stay below it. */
export async function openClients(home: string): Promise<Clients> {
  for (const folder of [".docker", "run", "tmp"]) await mkdir(join(home, folder), { recursive: true });
  const logins = join(home, ".docker", "config.json");
  await writeFile(logins, '{"auths":{}}', { flag: "a" }); // podman and buildah insist that it exists.
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_RUNTIME_DIR: join(home, "run"),
    TMPDIR: join(home, "tmp"), // Where podman and buildah keep layers in flight; else in /var/tmp.
    DOCKER_CONFIG: join(home, ".docker"),
    REGISTRY_AUTH_FILE: logins, // One login for all: skopeo, podman, buildah read it too.
    BUILDAH_ISOLATION: "chroot",
  };
  const client =
    (name: PeerName, complete: (args: readonly string[]) => readonly string[]): Client =>
    async (...args) => {
      const found = peer(name);
      if (found === undefined) throw new Error(`${name} is absent: run scripts/peers`);
      return await run(found.path, complete(args), { cwd: home, env, timeout: 110_000 });
    };
  // vfs copies files instead of mounting overlays, which a sandbox may refuse.
  const storage = (name: string): readonly string[] => [
    "--root",
    join(home, name, "root"),
    "--runroot",
    join(home, name, "run"),
    "--storage-driver",
    "vfs",
  ];
  const engine = ["--tmpdir", join(home, "podman", "tmp"), "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
  return {
    skopeo: client("skopeo", (args) => ["--insecure-policy", ...withFlags(args, skopeoFlags(args))]),
    podman: client("podman", (args) => [...storage("podman"), ...engine, ...withFlags(args, storageFlags(args))]),
    buildah: client("buildah", (args) => [...storage("buildah"), ...withFlags(args, storageFlags(args))]),
    crane: client("crane", (args) => ["--insecure", ...args]),
    regctl: client("regctl", (args) => [
      ...hostsOf(args).flatMap((host) => ["--host", `reg=${host},tls=disabled`]),
      ...args,
    ]),
    oras: client("oras", (args) => withFlags(args, orasFlags(args))),
  };
}

/** Puts flags right behind the sub-command, which may be two words: buildah takes none behind the first argument. */
function withFlags([command = "", ...rest]: readonly string[], flags: readonly string[]): readonly string[] {
  const words = nested.has(command) ? 1 : 0;
  return [command, ...rest.slice(0, words), ...flags, ...rest.slice(words)];
}

const nested: ReadonlySet<string> = new Set(["manifest", "repo", "blob"]);

function skopeoFlags([command = ""]: readonly string[]): readonly string[] {
  if (["copy", "sync"].includes(command)) return ["--src-tls-verify=false", "--dest-tls-verify=false"];
  return ["inspect", "list-tags", "delete", "login", "logout"].includes(command) ? ["--tls-verify=false"] : [];
}

function storageFlags([command = "", action = ""]: readonly string[]): readonly string[] {
  const speaks =
    command === "manifest" ? ["add", "push"].includes(action) : ["pull", "push", "login"].includes(command);
  return speaks ? ["--tls-verify=false"] : [];
}

function orasFlags(args: readonly string[]): readonly string[] {
  if (args.includes("--oci-layout") || args[0] === "version") return [];
  return ["copy", "cp"].includes(args[0] ?? "") ? ["--from-plain-http", "--to-plain-http"] : ["--plain-http"];
}

/** The loopback registries that the arguments name: regctl wants each of them declared. */
function hostsOf(args: readonly string[]): readonly string[] {
  return [...new Set(args.flatMap((arg) => /\b127\.0\.0\.1:\d+/.exec(arg)?.[0] ?? []))];
}
