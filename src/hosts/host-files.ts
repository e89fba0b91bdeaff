import { join } from "node:path";
import { hostAliases } from "../oci/reference.ts";
import type { HostSettings, SettingsOf } from "../transport/host-settings.ts";
import { readContainerdDirectory, type ContainerdDirectory } from "./containerd.ts";
import { parseDaemonJson, type DaemonJson } from "./daemon-json.ts";
import { findText } from "./file.ts";
import { once } from "./once.ts";
import { registriesFiles, type Machine, type RegistriesFiles } from "./registries-files.ts";
import {
  sumOf,
  toldByCertificates,
  toldByDaemon,
  toldByOwn,
  toldByRegistries,
  type RegistryJson,
  type Told,
} from "./told.ts";

export interface HostFilesOptions extends Machine {
  /** A registries.conf to read in place of those that are found. */
  readonly registriesConf?: string;
  /** A directory of containerd's that is asked before /etc/containerd/certs.d. */
  readonly containerdCertsDir?: string;
  readonly registryJson?: () => RegistryJson | undefined;
}

/** What the machine's files say of registries. Each is read once, when it is first needed; one that is not right throws INVALID. */
export interface HostFiles extends RegistriesFiles {
  /** How a host (as it stands in URLs) is reached; the same object each time. */
  readonly settingsOf: SettingsOf;
  /** What each place says of a host, the strongest first. */
  told(host: string): readonly Told[];
  registryJson(): RegistryJson | undefined;
  containerd(): readonly ContainerdDirectory[];
  daemon(): DaemonJson | undefined;
}

/** The files in the order of their weight: an own registry.json, hosts.toml, certs.d, registries.conf, daemon.json. */
export function hostFiles(options: HostFilesOptions): HostFiles {
  const { env, home, root = "/", uid, containerdCertsDir } = options;
  const registryJson = once(options.registryJson ?? (() => undefined));
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const certificates = [join(config, "containers"), join(root, "etc/containers"), join(root, "etc/docker")];
  const conf = registriesFiles(options, options.registriesConf);
  const daemon = once(() => {
    const files = [...(uid === 0 ? [] : [join(config, "docker")]), join(root, "etc/docker")];
    return files.map((folder) => findDaemonJson(join(folder, "daemon.json"))).find((found) => found !== undefined);
  });
  const containerd = once(() =>
    [...(containerdCertsDir ? [containerdCertsDir] : []), join(root, "etc/containerd/certs.d")].map(
      readContainerdDirectory,
    ),
  );
  const told = (host: string): readonly Told[] => {
    const names = namesOf(host);
    return [
      ...toldByOwn(registryJson(), names),
      ...containerd().flatMap((directory) => directory.told(names)),
      ...toldByCertificates(
        certificates.map((folder) => join(folder, "certs.d")),
        names,
      ),
      ...toldByRegistries(conf.registries(), names),
      ...toldByDaemon(daemon(), names),
    ];
  };
  const known = new Map<string, HostSettings>();
  return {
    registryJson,
    ...conf,
    daemon,
    containerd,
    told,
    settingsOf(host) {
      const found = known.get(host) ?? sumOf(told(host));
      known.set(host, found);
      return found;
    },
  };
}

/** The names by which files may know a host: all that one registry goes by, and with the port that URLs leave out. */
function namesOf(host: string): readonly string[] {
  const hasPort = /:\d+$/.test(host);
  return hostAliases(host).flatMap((name) => (hasPort ? [name] : [name, `${name}:443`]));
}

function findDaemonJson(file: string): DaemonJson | undefined {
  const text = findText(file, "foreign");
  return text === undefined || text.trim() === "" ? undefined : parseDaemonJson(text, file);
}
