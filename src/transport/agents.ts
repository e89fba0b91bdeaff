import type { Agent, ProxyEnv } from "node:http";
import { isLoopback } from "../oci/reference.ts";
import type { TlsOptions } from "./tls.ts";

export interface AgentSettings {
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case; loopback hosts never go through a proxy. */
  readonly proxyEnv?: ProxyEnv;
  /** How many connections there may be to one host. */
  readonly maxSockets?: number;
}

/** Node's HTTP agents, which keep connections alive: one for each origin. */
export interface Agents {
  find(url: URL): Agent;
  close(): void;
}

export function agents(settings: AgentSettings, tlsOf: (host: string) => TlsOptions | undefined): Agents {
  const known = new Map<string, { readonly agent: Agent; readonly tls: TlsOptions | undefined }>();
  const create = (url: URL, proxied: boolean, tls: TlsOptions | undefined): Agent => {
    const options = {
      keepAlive: true,
      ...(settings.maxSockets !== undefined && { maxSockets: settings.maxSockets }),
      ...(proxied && { proxyEnv: settings.proxyEnv }),
    };
    if (url.protocol === "http:") return new (process.getBuiltinModule("node:http").Agent)(options);
    const { Agent } = process.getBuiltinModule("node:https");
    return new Agent({ ...options, ...tls });
  };
  return {
    find(url) {
      const proxied = isProxied(url, settings.proxyEnv);
      const key = `${proxied} ${url.origin}`;
      const tls = url.protocol === "https:" ? tlsOf(url.host) : undefined;
      const found = known.get(key);
      // Whom to trust may have changed, after nobody that was trusted vouched for the host: there is no connection to keep.
      if (found && found.tls === tls) return found.agent;
      const agent = create(url, proxied, tls);
      known.set(key, { agent, tls });
      return agent;
    },
    close() {
      for (const { agent } of known.values()) agent.destroy();
      known.clear();
    },
  };
}

/** Whether a request may have to go through a proxy; NO_PROXY, which Node's agents read, may still exempt it. */
export function isProxied(url: URL, proxyEnv: ProxyEnv | undefined): boolean {
  if (!proxyEnv || isLoopback(url.host)) return false;
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  return Boolean(proxyEnv[name] || proxyEnv[name.toUpperCase()]);
}
