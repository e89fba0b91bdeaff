import type { HostSettings, SettingsOf } from "../transport/host-settings.ts";
import { parseNoProxy } from "../transport/no-proxy.ts";
import { proxiesOf, type ProxyEnv } from "../transport/proxies.ts";

/** How requests to a host travel; an exemption is the entry of NO_PROXY that lets them go straight. */
export type Route =
  | { readonly kind: "direct"; readonly exempt?: { readonly variable: string; readonly by: string } }
  | { readonly kind: "proxy"; readonly url: URL; readonly from: string };

/** What is named as a proxy and is none; without user and password. */
export interface BrokenRoute {
  readonly kind: "broken";
  readonly text: string;
  readonly from: string;
}

/** The way that requests to a URL take, by the client's own rules (`proxiesOf`), and who says so. */
export function routeTo(url: URL, settingsOf: SettingsOf, env: ProxyEnv): Route | BrokenRoute {
  const said = proxySaid(url, settingsOf(url.host), env);
  if (!said) return { kind: "direct" };
  try {
    if (proxiesOf(env, settingsOf)(url)) return { kind: "proxy", url: new URL(withScheme(said.text)), from: said.from };
  } catch {
    return { kind: "broken", text: said.text.replace(/^([\w+.-]+:\/\/)?.*@/s, "$1...@"), from: said.from };
  }
  const exempt = exemption(url, env);
  return { kind: "direct", ...(exempt && { exempt }) };
}

/** What is named as the proxy for a URL, whether or not it is used. */
function proxySaid(
  { protocol }: URL,
  { proxy }: HostSettings,
  env: ProxyEnv,
): { readonly text: string; readonly from: string } | undefined {
  if (proxy === false) return undefined;
  if (proxy !== undefined) return { text: proxy, from: "the settings of this host" };
  const scheme = protocol.slice(0, -1);
  const from = [scheme, "all"]
    .flatMap((name) => [`${name}_proxy`, `${name.toUpperCase()}_PROXY`])
    .find((name) => env[name]);
  return from === undefined ? undefined : { text: env[from]!.trim(), from };
}

/** The entry of NO_PROXY that lets requests go straight. */
function exemption(url: URL, env: ProxyEnv): { readonly variable: string; readonly by: string } | undefined {
  const variable = ["no_proxy", "NO_PROXY"].find((name) => env[name]);
  if (variable === undefined) return undefined;
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const by = env[variable]!.split(/[\s,]+/).find((entry) => entry !== "" && parseNoProxy(entry)(url.hostname, port));
  return by === undefined ? undefined : { variable, by };
}

function withScheme(text: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
}

/** The Authorization that the user and password in a URL make, if there are any. */
export function basicUserInfo({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const text = [username, password].map((part) => decoded(part)).join(":");
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A proxy as it may be shown: without user and password. */
export function formatProxy(url: URL): string {
  return `${url.protocol}//${url.host}`;
}
