import { RegistryError } from "../oci/error.ts";
import { isLoopback } from "../oci/reference.ts";
import type { SettingsOf } from "./host-settings.ts";
import { parseNoProxy, type NoProxy } from "./no-proxy.ts";

/** Variables by name: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/** A forward proxy. */
export interface Proxy {
  /** `http:` or `https:`, host and port; no user. */
  readonly url: URL;
  /** Its `name:port`, for people. */
  readonly name: string;
  /** What it is shown of who we are: nothing, or a Proxy-Authorization header. */
  readonly login: () => Readonly<Record<string, string>>;
}

/** The proxy for a URL, if any. Throws INVALID where it is not one we can use. */
export type ProxyOf = (url: URL) => Proxy | undefined;

const noLogin: Readonly<Record<string, string>> = {};
const hint = "write http://[USER:PASSWORD@]HOST:PORT, or https:// where the proxy itself speaks TLS";

/**
 * Finds the proxy for a URL: what the host's settings say, else what the environment says for its scheme, unless
 * NO_PROXY exempts it. This machine is reached without one, unless settings for that very host name one.
 */
export function proxiesOf(env: ProxyEnv, settingsOf: SettingsOf): ProxyOf {
  const variable = (name: string): readonly [name: string, value: string] | undefined => {
    const found = [name, name.toUpperCase()].find((one) => env[one]);
    // A server passes the request header "Proxy" on to a CGI program as HTTP_PROXY: anybody can set that.
    if (found === undefined || (found === "HTTP_PROXY" && env["REQUEST_METHOD"])) return undefined;
    return [found, env[found]!.trim()];
  };
  let exempt: NoProxy | undefined;
  return (url) => {
    const { proxy, address } = settingsOf(url.host);
    const isOwn = proxy !== settingsOf("*").proxy;
    if (proxy === false || (!isOwn && [url.host, address ?? ""].some(isLoopback))) return undefined;
    if (proxy !== undefined) return parseProxy(proxy, `the proxy for ${url.host}`);
    const [name, value] = variable(`${url.protocol.slice(0, -1)}_proxy`) ?? variable("all_proxy") ?? [];
    if (name === undefined || !value) return undefined;
    exempt ??= parseNoProxy(variable("no_proxy")?.[1] ?? "");
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    if (exempt(url.hostname, port) || (address !== undefined && exempt(address, port))) return undefined;
    return parseProxy(value, name);
  };
}

/** Reads a proxy's URL, `http://` where it says no scheme; `place` is where it stands. Throws INVALID, without the password. */
export function parseProxy(text: string, place: string): Proxy {
  const withScheme = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (/^socks/i.test(withScheme)) throw invalid(place, "SOCKS proxies are not supported");
  if (!URL.canParse(withScheme)) throw invalid(place, "is not a URL");
  const { protocol, host, hostname, port, username, password } = new URL(withScheme);
  if (protocol !== "http:" && protocol !== "https:") throw invalid(place, `${protocol}// is not a way to a proxy`);
  const [user, secret] = [decode(username, place), decode(password, place)];
  const header = { "proxy-authorization": `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}` };
  return {
    url: new URL(`${protocol}//${host}`),
    name: `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`,
    login: () => (user === "" && secret === "" ? noLogin : header),
  };
}

function decode(text: string, place: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(place, "its user or password has a % that is not followed by two hexadecimal digits: write %25");
  }
}

function invalid(place: string, what: string): RegistryError {
  return new RegistryError("INVALID", what.startsWith("is ") ? `${place} ${what}` : `${place}: ${what}`, { hint });
}
