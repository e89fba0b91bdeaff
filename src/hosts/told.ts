import { existsSync } from "node:fs";
import { join } from "node:path";
import { headerFault } from "../transport/header-fault.ts";
import { mergeSettings, type HostSettings } from "../transport/host-settings.ts";
import { readCertDirectory } from "./certs-d.ts";
import type { DaemonJson } from "./daemon-json.ts";
import { findRegistry } from "./prefix.ts";
import type { RegistriesConf } from "./registries-conf.ts";

/** What one place says of a host. */
export interface Told {
  /** The file, and where in it. */
  readonly origin: string;
  readonly settings: HostSettings;
}

/** What an own registry.json says. */
export interface RegistryJson {
  /** Hosts, or the start of their names before a `*`. */
  readonly insecure: readonly string[];
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Absent where there is none, and all is from variables. */
  readonly file?: string;
}

/** The HttpHeaders of Docker's config.json. */
export interface DockerHeaders {
  readonly file: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where an own registry.json, or what stands for it, says something. */
export function placeIn({ file }: RegistryJson, key: string): string {
  return file === undefined ? `OSSB_${key.toUpperCase()}_REGISTRIES` : `${file}: ${key}`;
}

/** What several places say together, the first of them strongest. */
export function sumOf(told: readonly Told[]): HostSettings {
  return told.reduce<HostSettings>((sum, { settings }) => mergeSettings(sum, settings), {});
}

/** What an own registry.json says of a host, by any of its names. */
export function toldByOwn(own: RegistryJson | undefined, names: readonly string[]): readonly Told[] {
  const fits = (pattern: string): boolean =>
    names.some((name) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  const pattern = own?.insecure.find(fits);
  if (!own || pattern === undefined) return [];
  return [{ origin: `${placeIn(own, "insecure")}, ${JSON.stringify(pattern)}`, settings: { insecure: true } }];
}

/** The headers that Docker's configuration wants sent to every registry; those that HTTP or we set by ourselves are left out. */
export function toldByDocker(docker: DockerHeaders | undefined): readonly Told[] {
  const fit = Object.entries(docker?.headers ?? {}).filter(
    ([name, value]) => name.toLowerCase() !== "user-agent" && headerFault(name, value) === undefined,
  );
  if (!docker || fit.length === 0) return [];
  return [{ origin: `${docker.file}: HttpHeaders`, settings: { headers: Object.fromEntries(fit) } }];
}

/** The certificates of a host: of the first of the directories that has one for it. */
export function toldByCertificates(directories: readonly string[], names: readonly string[]): readonly Told[] {
  for (const directory of directories.flatMap((one) => names.map((name) => join(one, name)))) {
    const tls = existsSync(directory) ? readCertDirectory(directory) : undefined;
    if (tls) return Object.keys(tls).length > 0 ? [{ origin: directory, settings: { tls } }] : [];
  }
  return [];
}

/**
 * What registries.conf says of a host. Connections are to hosts, so what an entry says of a part of a host (`host/team`)
 * holds for all of it.
 */
export function toldByRegistries({ registries }: RegistriesConf, names: readonly string[]): readonly Told[] {
  const whole = names.map((name) => findRegistry(registries, name)).find((found) => found !== undefined);
  const isThere = (location: string): boolean => names.includes(location.split("/")[0]!);
  const [origin] = [
    ...(whole?.insecure ? [whole.origin] : []),
    ...registries
      .filter(({ insecure, prefix, location }) => {
        return insecure && (isThere(location) || (prefix.includes("/") && isThere(prefix)));
      })
      .map((one) => one.origin),
    ...registries.flatMap(({ mirrors, origin }) =>
      mirrors.filter(({ insecure, location }) => insecure && isThere(location)).map(() => `${origin}, mirror`),
    ),
  ];
  return origin === undefined ? [] : [{ origin, settings: { insecure: true } }];
}

/** What Docker's daemon.json says of a host. */
export function toldByDaemon(daemon: DaemonJson | undefined, names: readonly string[]): readonly Told[] {
  if (!daemon) return [];
  const isInsecure = names.some((name) => daemon.isInsecure(name));
  const isPlain = daemon.mirrors.some(({ host, protocol }) => protocol === "http:" && names.includes(host));
  return [
    ...(isInsecure ? [{ origin: `${daemon.file}: insecure-registries`, settings: { insecure: true } }] : []),
    ...(isPlain ? [{ origin: `${daemon.file}: registry-mirrors`, settings: { plainHttp: true } }] : []),
  ];
}
