import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { peer, type PeerName } from "./peers.ts";
import { type Outcome, run } from "./run.ts";

/** Runs a peer with a sub-command and its arguments; what it needs for plain HTTP is added. */
export type Client = (...args: readonly string[]) => Promise<Outcome>;

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
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_RUNTIME_DIR: join(home, "run"),
    TMPDIR: join(home, "tmp"), // Where podman and buildah keep layers in flight; else in /var/tmp.
    DOCKER_CONFIG: join(home, ".docker"),
    REGISTRY_AUTH_FILE: join(home, ".docker", "config.json"), // One login for all: skopeo, podman, buildah read it too.
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
    ...["--root", join(home, name, "root"), "--runroot", join(home, name, "run"), "--storage-driver", "vfs"],
  ];
  const engine = ["--tmpdir", join(home, "podman", "tmp"), "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
  return {
    skopeo: client("skopeo", (args) => ["--insecure-policy", ...args, ...skopeoFlags(args)]),
    podman: client("podman", (args) => [...storage("podman"), ...engine, ...args, ...storageFlags(args)]),
    buildah: client("buildah", (args) => [...storage("buildah"), ...args, ...storageFlags(args)]),
    crane: client("crane", (args) => [...args, "--insecure"]),
    regctl: client("regctl", (args) => [...args, ...hostsOf(args).flatMap((host) => ["--host", plain(host)])]),
    oras: client("oras", (args) => [...args, ...orasFlags(args)]),
  };
}

function skopeoFlags([command = ""]: readonly string[]): readonly string[] {
  if (["copy", "sync"].includes(command)) return ["--src-tls-verify=false", "--dest-tls-verify=false"];
  return ["inspect", "list-tags", "delete", "login", "logout"].includes(command) ? ["--tls-verify=false"] : [];
}

function storageFlags([command = "", action = ""]: readonly string[]): readonly string[] {
  const speaks = command === "manifest" ? ["add", "push"].includes(action) : ["pull", "push", "login"].includes(command);
  return speaks ? ["--tls-verify=false"] : [];
}

function orasFlags(args: readonly string[]): readonly string[] {
  if (args.some((arg) => arg === "--oci-layout")) return [];
  return ["copy", "cp"].includes(args[0] ?? "") ? ["--from-plain-http", "--to-plain-http"] : ["--plain-http"];
}

const plain = (host: string): string => `reg=${host},tls=disabled`;

/** The loopback registries that the arguments name: regctl wants each of them declared. */
function hostsOf(args: readonly string[]): readonly string[] {
  return [...new Set(args.flatMap((arg) => /\b127\.0\.0\.1:\d+/.exec(arg)?.[0] ?? []))];
}
