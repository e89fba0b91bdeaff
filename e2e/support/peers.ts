import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";
import { root } from "./run.ts";

/** The programs of others that tests talk to; `scripts/peers` installs them. */
export type PeerName =
  | "skopeo"
  | "podman"
  | "buildah"
  | "docker-registry"
  | "tinyproxy"
  | "squid"
  | "nginx"
  | "crane"
  | "regctl"
  | "regsync"
  | "oras"
  | "hclfmt"
  | "docker"
  | "containerd"
  | "docker-credential-pass"
  | "jsonschema"
  | "oci-conformance"
  | "moto_server"
  | "prism"
  | "etcd"
  | "kube-apiserver";

/** A program of others that is on this machine. */
export interface Peer {
  readonly name: PeerName;
  readonly path: string;
}

/** Even CI can be without this: Docker's own client is in no package registry. */
const optional: ReadonlySet<PeerName> = new Set(["docker"]);

/** Finds a peer: first among those that `scripts/peers` built, then on the PATH. */
export function peer(name: PeerName): Peer | undefined {
  const built = ["bin", "python/bin", "npm/node_modules/.bin"].map((folder) => join(root, ".peers", folder));
  const folders = [...built, ...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  return path === undefined ? undefined : { name, path };
}

/** Like `describe`, for tests that need these peers: skipped by name where one is absent, failed where CI lacks it. */
export function describeWith(needed: PeerName | readonly PeerName[], title: string, body: () => void): void {
  const absent = [needed].flat().filter((name) => peer(name) === undefined);
  if (absent.length === 0) {
    describe(title, body);
  } else if (process.env["CI"] === "true" && absent.some((name) => !optional.has(name))) {
    describe(title, () => {
      test.each(absent)("%s is installed", (name) => {
        throw new Error(`CI has every peer, but ${name} is absent: see what scripts/peers says`);
      });
    });
  } else {
    // The reporter folds skipped files into one line, so this says which tests they were.
    process.stderr.write(`skipped: ${title} (absent: ${absent.join(", ")}; scripts/peers installs what it can)\n`);
    describe.skip(`${title} [absent: ${absent.join(", ")}]`, body);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
