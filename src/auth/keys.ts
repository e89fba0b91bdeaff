import { hostAliases } from "../oci/reference.ts";

/**
 * A key of a list of logins as it is compared, `host[:port][/path]`: the host in lower case, without scheme, `/v1/` or
 * `/v2/` of the API, HTTPS's port and slashes at the end.
 */
export function normalizeKey(key: string): string {
  const bare = key.replace(/^https?:\/\//i, "").replace(/\/+$/, "");
  const [host = "", ...path] = bare.split("/");
  const below = /^v[12]$/.test(path.join("/")) ? [] : path;
  return [host.toLowerCase().replace(/:443$/, ""), ...below].join("/");
}

/** The keys that fit a repository, the longest first, by all names of its host. */
export function keysFor(host: string, path: string): readonly string[] {
  const parts = path === "" ? [] : path.split("/");
  const hosts = hostAliases(normalizeKey(host));
  const lengths = [...parts.keys(), parts.length];
  return lengths.toReversed().flatMap((length) => hosts.map((name) => [name, ...parts.slice(0, length)].join("/")));
}
