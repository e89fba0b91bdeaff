import { isLoopback } from "../oci/reference.ts";
import type { HostSettings } from "../transport/host-settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

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

/**
 * The way that requests to a URL take: what the host's settings say, else HTTPS_PROXY or HTTP_PROXY by the URL's scheme
 * (lower case wins) unless NO_PROXY names the host; this machine is never reached through a proxy.
 */
export function routeTo(url: URL, { proxy }: HostSettings, env: Environment): Route | BrokenRoute {
  if (isLoopback(url.host) || proxy === false) return { kind: "direct" };
  if (proxy !== undefined) return throughProxy(proxy, "the settings of this host");
  const [text, variable] = firstSet(env, `${url.protocol.slice(0, -1)}_proxy`);
  if (text === undefined) return { kind: "direct" };
  const [list, listVariable] = firstSet(env, "no_proxy");
  const by = (list ?? "")
    .split(/[\s,]+/)
    .filter(Boolean)
    .find((entry) => exempts(entry.toLowerCase(), url));
  if (by !== undefined) return { kind: "direct", exempt: { variable: listVariable, by } };
  return throughProxy(text, variable);
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

function throughProxy(text: string, from: string): Route | BrokenRoute {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && url.host !== "" && (url.protocol === "http:" || url.protocol === "https:"))
    return { kind: "proxy", url, from };
  return { kind: "broken", text: text.replace(/^(\w+:\/\/)?[^/@]*@/, "$1...@"), from };
}

function firstSet(env: Environment, name: string): readonly [text: string | undefined, variable: string] {
  const upper = name.toUpperCase();
  return env[name] ? [env[name], name] : [env[upper] || undefined, upper];
}

function exempts(entry: string, url: URL): boolean {
  const host = url.hostname;
  if (entry === "*" || entry === host || entry === url.host) return true;
  if (entry === `${host}:${url.port || (url.protocol === "https:" ? 443 : 80)}`) return true;
  const suffix = entry.replace(/^\*(?=\.)/, "");
  return suffix.startsWith(".") && (host.endsWith(suffix) || host === suffix.slice(1));
}
