import { RegistryError } from "../oci/error.ts";
import type { Timeouts } from "./exchange.ts";
import { headerFault } from "./header-fault.ts";
import type { HostSettings, SettingsOf } from "./host-settings.ts";
import { bareHost, isIP } from "./no-proxy.ts";
import { proxiesOf, type Proxy, type ProxyEnv } from "./proxies.ts";
import { tlsContexts, type TlsOptions, type Trust } from "./tls.ts";
import type { Req } from "./transport.ts";

/** How an origin is reached, found out once. */
export interface Route {
  /** `name[:port]` as it stands in URLs. */
  readonly authority: string;
  /** Its host without brackets, and its port. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** What to connect to instead of what DNS says. */
  readonly address?: string;
  readonly proxy?: Proxy;
  readonly tls?: TlsOptions;
  /** How TLS is spoken with the proxy itself. */
  readonly proxyTls?: TlsOptions;
  readonly timeouts: Timeouts;
  /** How long a connection is kept that nobody uses, in milliseconds. */
  readonly maxIdle: number;
  /** Sent with requests to the host. */
  readonly headers: Readonly<Record<string, string>>;
  /** Those of them that are for this host by name: they go even with requests that others led to. */
  readonly ownHeaders: Readonly<Record<string, string>>;
}

/**
 * Whether a request may go over a connection that served before. Some proxies close theirs after each answer and do not
 * say so, which a request that cannot be sent again would find out too late.
 */
export function mayUseKept({ once }: Pick<Req, "once">, { proxy, isTls }: Route): boolean {
  return !(once && proxy && !isTls);
}

/** A registry may take minutes to assemble a large upload before it answers. */
const defaultTimeouts: Timeouts = { connect: 30_000, answer: 300_000, idle: 60_000 };
const defaultMaxIdle = 90_000;

interface RoutesSettings {
  readonly settingsOf: SettingsOf;
  readonly env: ProxyEnv;
  readonly timeouts?: Partial<Timeouts> | undefined;
  readonly trust?: Trust | undefined;
}

/** Finds the route of a URL: the same object for all URLs of an origin. Throws INVALID where its settings are not right. */
export interface Routes {
  (url: URL): Route;
  /** Whether the spare authorities are trusted on the way there. */
  isWide(url: URL): boolean;
  /** Trusts them there from now on, by another route; false where there are none. */
  widen(url: URL): boolean;
}

export function routes({ settingsOf, env, timeouts, trust }: RoutesSettings): Routes {
  const proxyOf = proxiesOf(env, settingsOf);
  const tlsOf = tlsContexts(settingsOf, trust);
  const find = (url: URL): Route => {
    const settings = settingsOf(url.host);
    const isTls = url.protocol === "https:";
    const proxy = proxyOf(url);
    return {
      authority: url.host,
      host: bareHost(url.hostname),
      port: Number(url.port || (isTls ? 443 : 80)),
      isTls,
      ...addressOf(settings, url.host),
      ...(proxy && { proxy }),
      ...(isTls && tlsField("tls", tlsOf(url.host))),
      ...(proxy?.url.protocol === "https:" && tlsField("proxyTls", tlsOf(proxy.url.host))),
      timeouts: { ...defaultTimeouts, ...timeouts, ...settings.timeouts },
      maxIdle: settings.maxIdle ?? defaultMaxIdle,
      ...headersOf(settings, settingsOf("*"), url.host),
    };
  };
  const known = new Map<string, Route>();
  const routeOf = (url: URL): Route => {
    const { origin } = url;
    const found = known.get(origin) ?? find(url);
    known.set(origin, found);
    return found;
  };
  /** The host, and its proxy where that speaks TLS too. */
  const hostsOn = (url: URL): readonly string[] => [url.host, proxyOf(url)?.url.host ?? url.host];
  return Object.assign(routeOf, {
    isWide: (url: URL): boolean => hostsOn(url).every((host) => tlsOf.isWide(host)),
    widen(url: URL): boolean {
      known.delete(url.origin);
      return hostsOn(url).every((host) => tlsOf.widen(host));
    },
  });
}

function tlsField<Name extends string>(name: Name, options: TlsOptions | undefined): { [K in Name]?: TlsOptions } {
  return (options ? { [name]: options } : {}) as { [K in Name]?: TlsOptions };
}

function addressOf({ address }: HostSettings, host: string): Pick<Route, "address"> {
  if (address === undefined) return {};
  const bare = bareHost(address);
  if (isIP(bare) !== 0) return { address: bare };
  throw new RegistryError("INVALID", `the address for ${host} is ${JSON.stringify(address)}, which is no IP address`, {
    hint: "write 192.0.2.7 or 2001:db8::7",
  });
}

function headersOf(
  { headers = {} }: HostSettings,
  { headers: forAll = {} }: HostSettings,
  host: string,
): Pick<Route, "headers" | "ownHeaders"> {
  const entries = Object.entries(headers).map(([name, value]) => {
    const fault = headerFault(name, value);
    if (fault !== undefined) throw new RegistryError("INVALID", `the settings for ${host} are not right: ${fault}`);
    return [name.toLowerCase(), value, value !== forAll[name]] as const;
  });
  return {
    headers: Object.fromEntries(entries.map(([name, value]) => [name, value])),
    ownHeaders: Object.fromEntries(entries.flatMap(([name, value, isOwn]) => (isOwn ? [[name, value]] : []))),
  };
}
