import type { Timeouts } from "./exchange.ts";
import type { TlsSettings } from "./tls.ts";

/** How one registry host is reached; what is absent is as for any other host. */
export interface HostSettings {
  readonly tls?: TlsSettings;
  /** It may be spoken to in plain HTTP. */
  readonly plainHttp?: boolean;
  /** Its certificate is not looked at, it may speak plain HTTP, and it may lead anywhere. */
  readonly insecure?: boolean;
  /** The proxy to go through, a URL; `false` for none, whatever the environment says. */
  readonly proxy?: string | false;
  /** An IP address to connect to, in place of what DNS says. */
  readonly address?: string;
  /** Sent with every request to this very host, and to no other. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<Timeouts>;
  /** How long an unused connection is kept, in milliseconds; 0 keeps none. */
  readonly maxIdle?: number;
  /** Where pulls are tried first, in this order: `host[:port][/path]`. */
  readonly mirrors?: readonly string[];
  /** How many pulls of the host's rate limit are left alone. */
  readonly quotaReserve?: number;
  /** The service that it belongs to, where its name does not tell: `harbor`. */
  readonly provider?: string;
  /** Where that service's own API answers, a URL; the usual place where absent. */
  readonly api?: string;
  /** Variables of that service's own tools, for this host alone: `AWS_PROFILE`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The settings of a host (`name[:port]`, as it stands in URLs); the same object each time. */
export type SettingsOf = (host: string) => HostSettings;

const none: HostSettings = {};

/** Settings by host; those under `*` hold for all hosts, where the host's own do not say otherwise. */
export function settingsByHost(byHost: Readonly<Record<string, HostSettings>> = {}): SettingsOf {
  const all = byHost["*"] ?? none;
  const merged = new Map<string, HostSettings>();
  return (host) => {
    if (!Object.hasOwn(byHost, host)) return all;
    const found = merged.get(host) ?? mergeSettings(byHost[host]!, all);
    merged.set(host, found);
    return found;
  };
}

/** What `first` says, and where it says nothing, `then`; authorities that either trusts are trusted. */
export function mergeSettings(first: HostSettings, then: HostSettings): HostSettings {
  return {
    ...then,
    ...first,
    ...(then.tls && { tls: mergeTls(first.tls, first.insecure === undefined ? then.tls : unjudged(then.tls)) }),
    ...(then.headers && { headers: { ...then.headers, ...first.headers } }),
    ...(then.env && { env: { ...then.env, ...first.env } }),
    ...(then.timeouts && { timeouts: { ...then.timeouts, ...first.timeouts } }),
  };
}

/** Whether a certificate is looked at, `insecure` of a stronger place says. */
function unjudged({ rejectUnauthorized: _rejectUnauthorized, ...rest }: TlsSettings): TlsSettings {
  return rest;
}

function mergeTls(first: TlsSettings = {}, then: TlsSettings): TlsSettings {
  const { cert: _cert, key: _key, ...rest } = then;
  const hasOwn = first.cert !== undefined || first.key !== undefined;
  const ca = [...new Set([first.ca ?? [], then.ca ?? []].flat())];
  // A certificate goes with its own key.
  return { ...(hasOwn ? rest : then), ...first, ...(ca.length > 0 && { ca }) };
}
