import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "./credential.ts";
import { loginStore, type LoginStore } from "./login-store.ts";

/** Where the files of logins are looked for. */
export interface Surroundings {
  readonly env: Environment;
  readonly home: string;
  /** The user's number, for /run/containers; absent where users have none. */
  readonly uid?: number;
  /** A file that must be there and stands in for Podman's and Docker's; otherwise REGISTRY_AUTH_FILE's does. */
  readonly authFile?: string;
  /** What the absolute paths are below, for tests; `/`. */
  readonly root?: string;
}

/** The files of logins: Gantry's own, and those of Podman and Docker. */
export interface LoginFiles {
  /** The one that stands in for Podman's and Docker's. */
  readonly named?: string;
  /** Gantry's, which it keeps as a credential helper. */
  readonly own: string;
  /** Podman's files, then Docker's, in the order in which they are asked; Docker's alone where DOCKER_CONFIG says where it is. */
  readonly usual: readonly string[];
  /** Docker's from long ago, a bare map of logins: read, never written. */
  readonly legacy?: string;
  /**
   * The file a login is written to: the one that was named; else Docker's or Podman's, as asked; else Docker's where
   * DOCKER_CONFIG says where it is; else the first that exists of Podman's and Docker's; else Docker's.
   */
  write(compat?: "docker" | "podman"): Promise<string>;
}

/** Says where the files are, without a look whether they are there. */
export function loginFiles({ env, home, uid, authFile, root = "/" }: Surroundings): LoginFiles {
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const runtime = env["XDG_RUNTIME_DIR"];
  const podman = [
    ...(runtime ? [join(runtime, "containers", "auth.json")] : []),
    ...(uid === undefined ? [] : [join(root, "run", "containers", String(uid), "auth.json")]),
    join(config, "containers", "auth.json"),
  ];
  const docker = join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
  const all = env["DOCKER_CONFIG"] ? [docker] : [...podman, docker];
  const named = authFile || env["REGISTRY_AUTH_FILE"];
  return {
    ...(named ? { named } : !env["DOCKER_CONFIG"] && { legacy: join(home, ".dockercfg") }),
    own: join(config, "gantry", "auth.json"),
    usual: named ? [] : all,
    async write(compat) {
      if (named) return named;
      if (compat !== undefined) return compat === "docker" ? docker : podman[0]!;
      for (const file of all) if (await exists(file)) return file;
      return docker;
    },
  };
}

/** The stores over these files. */
export interface LoginStores {
  /** The one that a new login goes to. */
  target(compat?: "docker" | "podman"): Promise<LoginStore>;
  /** All that logins are read from and can be erased in; the named one alone, where there is one. */
  readonly all: readonly LoginStore[];
  /** Gantry's own, which it keeps as a credential helper. */
  readonly own: LoginStore;
}

/** Opens the files as stores, whose helpers run with this environment. */
export function loginStores(files: LoginFiles, env: Environment): LoginStores {
  const own = loginStore(files.own, { env });
  const open = (file: string): LoginStore => loginStore(file, { env, own });
  const { named } = files;
  return {
    own,
    all: named === undefined ? [own, ...files.usual.map(open)] : [open(named)],
    target: async (compat) => open(await files.write(compat)),
  };
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
