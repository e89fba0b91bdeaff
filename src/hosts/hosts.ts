import { apiHost } from "../oci/reference.ts";
import type { OnEvent } from "../transport/events.ts";
import { mergeSettings, settingsByHost, type HostSettings, type SettingsOf } from "../transport/host-settings.ts";
import type { Middleware } from "../transport/transport.ts";
import { hostFiles, type HostFiles, type HostFilesOptions } from "./host-files.ts";
import { mirrors, refuseBlocked } from "./mirrors.ts";
import { places } from "./places.ts";
import { rest } from "./rest.ts";

export interface HostsOptions extends HostFilesOptions {
  /** What the user says of hosts, by `name[:port]`; `*` is for all. It counts before all files. */
  readonly settings?: Readonly<Record<string, HostSettings>>;
  /** Whether mirrors are asked; true. */
  readonly mirrors?: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onEvent?: OnEvent;
}

/** What the user and the machine's files say of hosts, and what follows for requests. */
export interface Hosts {
  readonly files: HostFiles;
  /** How a host (as it stands in URLs) is reached. */
  readonly settingsOf: SettingsOf;
  /** What goes over the transport for a registry (`host[:port]`, as references name it): what is blocked stays here, and to `pull` is to ask mirrors. */
  routes(registry: string, use?: "pull"): readonly Middleware[];
}

export function hostsOf(options: HostsOptions): Hosts {
  const { settings = {}, now, onEvent } = options;
  const files = hostFiles(options);
  const own = settingsByHost(byUrlHost(settings));
  const where = places({ files, own: (registry) => own(apiHost(registry)).mirrors, mirrors: options.mirrors ?? true });
  const resting = rest(now);
  const known = new Map<string, HostSettings>();
  return {
    files,
    settingsOf(host) {
      const found = known.get(host) ?? mergeSettings(own(host), files.settingsOf(host));
      known.set(host, found);
      return found;
    },
    routes(registry, use) {
      const at = { registry, places: where, rest: resting, ...(onEvent && { onEvent }) };
      return use === "pull" ? [refuseBlocked(at), mirrors(at)] : [refuseBlocked(at)];
    },
  };
}

/**
 * The same by hosts as they stand in URLs, what is said of one by several names together. Each is looked at when it is
 * asked for: reading its certificates takes time.
 */
function byUrlHost(settings: Readonly<Record<string, HostSettings>>): Readonly<Record<string, HostSettings>> {
  const renamed: Readonly<Record<string, HostSettings>> = {};
  for (const [host, names] of Object.entries(Object.groupBy(Object.keys(settings), apiHost))) {
    const get = (): HostSettings => names!.map((name) => settings[name]!).reduce(mergeSettings);
    Object.defineProperty(renamed, host, { get, enumerable: true });
  }
  return renamed;
}
