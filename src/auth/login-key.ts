import { hostAliases, loginNames } from "../oci/reference.ts";
import { normalizeKey } from "./keys.ts";

/** What a login is for: a registry's host (`name[:port]`), and the repositories under a path there; all, where it is empty. */
export interface LoginPlace {
  readonly host: string;
  readonly path: string;
}

/** Reads a key of `auths`, a server address that Docker gives its helpers, or what a user types: `host/path`, `https://host/v1/`. */
export function parseLoginKey(key: string): LoginPlace {
  const [host = "", ...path] = normalizeKey(key).split("/");
  return { host, path: path.join("/") };
}

/** Writes the key under which Docker and Podman look a login up. */
export function formatLoginKey({ host, path }: LoginPlace): string {
  return path === "" ? loginNames(host)[0]! : `${hostAliases(host)[0]}/${path}`;
}

/** Whether two places are the same, by whichever names. */
export function isSamePlace(a: LoginPlace, b: LoginPlace): boolean {
  return a.path === b.path && hostAliases(a.host).includes(b.host);
}
