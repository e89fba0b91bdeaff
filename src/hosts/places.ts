import { RegistryError } from "../oci/error.ts";
import { apiHost, hostAliases } from "../oci/reference.ts";
import type { ContainerdHost, HostsToml } from "./hosts-toml.ts";
import { endpointOf, literalEndpoint, type Endpoint, type Pull } from "./endpoint.ts";
import type { HostFiles } from "./host-files.ts";
import { findRegistry, relocated } from "./prefix.ts";
import { placeIn } from "./told.ts";

/** Where images are pulled from. */
export interface Places {
  /**
   * The mirrors of an image in the order they are to be asked, and last the place itself, which may be elsewhere than its
   * name says. Throws DENIED where that is blocked.
   */
  endpoints(pull: Pull): readonly Endpoint[];
  /** Throws DENIED where a file says that nothing may be done with a registry, or with a repository there. */
  checkBlocked(registry: string, repository?: string): void;
}

export interface PlacesOptions {
  readonly files: HostFiles;
  /** The mirrors that the user set for a registry; they take the place of those of files. */
  readonly own: (registry: string) => readonly string[] | undefined;
  /** Whether mirrors are asked at all. */
  readonly mirrors: boolean;
}

/** The places that settings and files name. Of mirrors, those of the strongest place that has any for a registry count. */
export function places({ files, own, mirrors }: PlacesOptions): Places {
  const blockedBy = (name: string): string | undefined => {
    const entry = findRegistry(files.registries().registries, name);
    return entry?.blocked ? entry.origin : undefined;
  };
  // Files are read once: what was found for one request holds for the next.
  const open = new Set<string>();
  const known = new Map<string, readonly Endpoint[]>();
  const check = (name: string): void => {
    if (open.has(name)) return;
    const origin = blockedBy(name);
    if (origin === undefined) return void open.add(name);
    throw new RegistryError("DENIED", `${name} is blocked: ${origin} says so`, {
      hint: "take `blocked = true` out there, or name another --registries-conf",
    });
  };
  const find = (pull: Pull): readonly Endpoint[] => {
    const last = primary(pull, files);
    check(nameOf(last));
    const before = mirrors ? mirrorsOf(pull, files, own(pull.registry)) : [];
    return [...before.filter((one) => blockedBy(nameOf(one)) === undefined), last];
  };
  return {
    checkBlocked: (registry, repository) => check(repository === undefined ? registry : `${registry}/${repository}`),
    endpoints(pull) {
      const key = `${pull.by} ${pull.registry}/${pull.repository}`;
      const found = known.get(key) ?? find(pull);
      known.set(key, found);
      return found;
    },
  };
}

function nameOf({ base, repository }: Endpoint): string {
  return `${hostAliases(base.host)[0]}/${repository}`;
}

function mirrorsOf(pull: Pull, files: HostFiles, own: readonly string[] | undefined): readonly Endpoint[] {
  return (
    settingMirrors(pull, own, `the mirrors set for ${pull.registry}`) ??
    ownMirrors(pull, files) ??
    containerdMirrors(pull, files) ??
    registriesMirrors(pull, files) ??
    daemonMirrors(pull, files) ??
    []
  );
}

/** The place itself: where hosts.toml or registries.conf have moved it, else where its name says. */
function primary(pull: Pull, files: HostFiles): Endpoint {
  const name = `${pull.registry}/${pull.repository}`;
  const server = containerdOf(pull.registry, files)?.server;
  if (server?.base && canPull(server, pull)) return containerdEndpoint(server, server.base, pull);
  const entry = findRegistry(files.registries().registries, name);
  return entry ? endpointOf(relocated(name, entry.prefix, entry.location), entry.origin) : literalEndpoint(pull);
}

function settingMirrors(
  { repository }: Pull,
  mirrors: readonly string[] | undefined,
  origin: string,
): readonly Endpoint[] | undefined {
  return mirrors?.map((text) => {
    if (text.includes("@")) {
      throw new RegistryError("INVALID", `${origin}: one has a user in it`, {
        hint: "leave it out: logins are looked up for the mirror's host",
      });
    }
    const location = text.replace(/^https:\/\//, "").replace(/\/+$/, "");
    if (!location.includes("://")) return endpointOf(`${location}/${repository}`, origin);
    throw new RegistryError("INVALID", `${origin}: ${JSON.stringify(text)} is not host[:port][/path]`, {
      hint: "leave the scheme out, and declare the mirror's host insecure where it speaks plain HTTP",
    });
  });
}

function ownMirrors(pull: Pull, files: HostFiles): readonly Endpoint[] | undefined {
  const registryJson = files.registryJson();
  const key = hostAliases(pull.registry).find((name) => Object.hasOwn(registryJson?.mirrors ?? {}, name));
  if (!registryJson || key === undefined) return undefined;
  return settingMirrors(pull, registryJson.mirrors[key], `${placeIn(registryJson, "mirrors")}[${JSON.stringify(key)}]`);
}

function containerdOf(registry: string, files: HostFiles): HostsToml | undefined {
  return files
    .containerd()
    .map((directory) => directory.find(registry))
    .find((found) => found !== undefined);
}

function containerdMirrors(pull: Pull, files: HostFiles): readonly Endpoint[] | undefined {
  const hosts = containerdOf(pull.registry, files)?.hosts ?? [];
  if (hosts.length === 0) return undefined;
  return hosts
    .filter((host) => canPull(host, pull))
    .flatMap((host) => (host.base ? [containerdEndpoint(host, host.base, pull)] : []));
}

/** What is asked for by digest is pulled; a tag is resolved. */
function canPull({ capabilities }: ContainerdHost, { by }: Pull): boolean {
  return capabilities.includes(by === "digest" ? "pull" : "resolve");
}

function containerdEndpoint({ origin }: ContainerdHost, base: URL, { registry, repository }: Pull): Endpoint {
  const isOther = base.host !== new URL(`https://${apiHost(registry)}`).host;
  return { base, repository, origin, ...(isOther && { namespace: registry }) };
}

function registriesMirrors(pull: Pull, files: HostFiles): readonly Endpoint[] | undefined {
  const name = `${pull.registry}/${pull.repository}`;
  const entry = findRegistry(files.registries().registries, name);
  if (!entry || entry.mirrors.length === 0) return undefined;
  return entry.mirrors
    .filter(({ use }) => use === "all" || use === `${pull.by}-only`)
    .map(({ location }) => endpointOf(relocated(name, entry.prefix, location), `${entry.origin}, mirror`));
}

/** Docker asks its mirrors for Docker Hub's images alone. */
function daemonMirrors({ registry, repository }: Pull, files: HostFiles): readonly Endpoint[] | undefined {
  if (hostAliases(registry).length === 1) return undefined;
  const daemon = files.daemon();
  return daemon?.mirrors.map((url) => ({
    base: new URL("/v2/", url),
    repository,
    origin: `${daemon.file}: registry-mirrors`,
  }));
}
