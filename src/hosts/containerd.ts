import { join } from "node:path";
import { readCertDirectory } from "./certs-d.ts";
import { findNames, findText } from "./file.ts";
import { parseHostsToml, type ContainerdHost, type HostsToml } from "./hosts-toml.ts";
import type { Told } from "./told.ts";

/** What a directory of containerd's (`/etc/containerd/certs.d`) says. */
export interface ContainerdDirectory {
  /** The hosts.toml for a registry (`host[:port]`): of the directory `host_port_`, `host:port` or `_default`. */
  find(registry: string): HostsToml | undefined;
  /** What it says of a host, by any of its names. */
  told(names: readonly string[]): readonly Told[];
}

/** Reads every directory at once: a host may be a mirror in any of them. Throws INVALID. */
export function readContainerdDirectory(directory: string): ContainerdDirectory {
  const tomls = new Map<string, HostsToml>();
  const names = findNames(directory, "foreign") ?? [];
  for (const name of names) {
    const text = findText(join(directory, name, "hosts.toml"), "foreign");
    if (text !== undefined && text.trim() !== "") tomls.set(name, parseHostsToml(text, join(directory, name)));
  }
  const directoryOf = (registry: string): string | undefined =>
    [registry.replace(/:(\d+)$/, "_$1_"), registry, "_default"].find((name) => names.includes(name));
  const find = (registry: string): HostsToml | undefined => tomls.get(directoryOf(registry) ?? "");

  /** What holds for a host as the registry that a directory is about. */
  const toldAsRegistry = (name: string): readonly Told[] => {
    const server = find(name)?.server;
    if (server) return server.base && server.base.host !== name ? [] : toldBy(server);
    const folder = directoryOf(name);
    const tls = folder === undefined ? undefined : readCertDirectory(join(directory, folder));
    return tls ? [{ origin: join(directory, folder!), settings: { tls } }] : [];
  };
  return {
    find,
    told(hostNames) {
      const [first] = hostNames.map(toldAsRegistry).filter((found) => found.length > 0);
      const elsewhere = [...tomls.values()]
        .flatMap(({ hosts, server }) => [...hosts, server])
        .filter(({ base }) => base !== undefined && hostNames.includes(base.host));
      return [...(first ?? []), ...elsewhere.flatMap(toldBy)];
    },
  };
}

function toldBy({ origin, settings }: ContainerdHost): readonly Told[] {
  return Object.keys(settings).length > 0 ? [{ origin, settings }] : [];
}
