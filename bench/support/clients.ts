import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { peer, type PeerName } from "../../e2e/support/peers.ts";
import { gantryPath } from "../../e2e/support/run.ts";
import type { Command } from "./timing.ts";

/** A repository of a registry that speaks plain HTTP on this machine. */
export interface Place {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly repository: string;
}

/** A program that copies images between registries. */
export interface Client {
  readonly name: string;
  /** Copies one tag. */
  readonly copy: (from: Place, to: Place, tag: string) => Command;
  /** Copies all tags, into a repository whose last part has the same name. */
  readonly copyAll: (from: Place, to: Place) => Command;
}

/** The name that Gantry has in tables. */
export const ours = "gantry";

/** Gantry and its peers, those that are on this machine; each with a home of its own in `folder`, and empty caches. */
export async function copyClients(folder: string): Promise<readonly Client[]> {
  const env = await homeIn(folder);
  return [
    client(ours, gantryPath, env, {
      copy: (from, to, tag) => ["copy", `${at(from)}:${tag}`, `${at(to)}:${tag}`],
      copyAll: (from, to) => ["copy", "--all-tags", at(from), at(to)],
    }),
    ...peerClient("skopeo", env, {
      copy: (from, to, tag) => [
        "--insecure-policy",
        "copy",
        "--all",
        ...plainSkopeo,
        `docker://${at(from)}:${tag}`,
        `docker://${at(to)}:${tag}`,
      ],
      copyAll: (from, to) => [
        "--insecure-policy",
        "sync",
        "--all",
        ...plainSkopeo,
        "--src",
        "docker",
        "--dest",
        "docker",
        at(from),
        at({ ...to, repository: to.repository.replace(/\/[^/]+$/, "") }),
      ],
    }),
    ...peerClient("crane", env, {
      copy: (from, to, tag) => ["copy", `${at(from)}:${tag}`, `${at(to)}:${tag}`],
      copyAll: (from, to) => ["copy", "--all-tags", at(from), at(to)],
    }),
    ...peerClient("regctl", env, {
      copy: (from, to, tag) => [...plainRegctl(from, to), "image", "copy", `${at(from)}:${tag}`, `${at(to)}:${tag}`],
      copyAll: (from, to) => [...plainRegctl(from, to), "repo", "copy", at(from), at(to)],
    }),
  ];
}

interface Arguments {
  readonly copy: (from: Place, to: Place, tag: string) => readonly string[];
  readonly copyAll: (from: Place, to: Place) => readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

function peerClient(name: PeerName, env: Environment, args: Arguments): readonly Client[] {
  const found = peer(name);
  if (found) return [client(name, found.path, env, args)];
  process.stderr.write(`without ${name}: scripts/peers installs it\n`);
  return [];
}

function client(name: string, path: string, env: Environment, args: Arguments): Client {
  return {
    name,
    copy: (...places) => ({ path, env, args: args.copy(...places) }),
    copyAll: (...places) => ({ path, env, args: args.copyAll(...places) }),
  };
}

/** An environment in which no program finds anything of the user's. */
export async function homeIn(folder: string): Promise<Environment> {
  const home = join(folder, "home");
  await mkdir(home, { recursive: true });
  return {
    HOME: home,
    XDG_CONFIG_HOME: undefined,
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_CACHE_HOME: undefined,
    XDG_RUNTIME_DIR: undefined,
    DOCKER_CONFIG: undefined,
    REGISTRY_AUTH_FILE: undefined,
    NODE_EXTRA_CA_CERTS: undefined, // Reading it takes Node 35 ms, whatever it runs.
    NODE_OPTIONS: undefined,
    _CONTAINERS_ROOTLESS_UID: "1000", // Lets skopeo keep its cache below this home even for root.
  };
}

const plainSkopeo = ["--src-tls-verify=false", "--dest-tls-verify=false"];

function plainRegctl(...places: readonly Place[]): readonly string[] {
  return places.flatMap(({ host }) => ["--host", `reg=${host},tls=disabled`]);
}

function at({ host, repository }: Place): string {
  return `${host}/${repository}`;
}
