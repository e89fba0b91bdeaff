import { aborted } from "./clock.ts";
import { RegistryError } from "../oci/error.ts";
import { agents, type AgentSettings } from "./agents.ts";
import { discard, type Req, type Res, type Transport } from "./transport.ts";
import type { Sessions } from "./dial.ts";
import { exchange, staleConnection, type Timeouts } from "./exchange.ts";
import { isFieldValue } from "./header-fault.ts";
import { settingsByHost, type SettingsOf } from "./host-settings.ts";
import { isUntrusted, networkError } from "./network-error.ts";
import type { ProxyEnv } from "./proxies.ts";
import { isProxysOwn, proxyRefusal } from "./proxy-fault.ts";
import { rawExchanges, type Outgoing } from "./raw/raw.ts";
import { mayUseKept, routes, type Route } from "./routes.ts";
import type { Trust } from "./tls.ts";

export interface WireSettings extends AgentSettings {
  readonly settingsOf?: SettingsOf;
  readonly trust?: Trust;
  /** HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case. */
  readonly proxyEnv?: ProxyEnv;
  readonly userAgent?: string;
  readonly timeouts?: Partial<Timeouts>;
}

/** So many dead connections are tried before one is opened afresh. */
const maxStale = 16;

/** A transport over the network, and a way to end all its connections. */
export type Wire = Transport & { close(): void };

/**
 * HTTP/1.1; connections are kept and used again. Most requests go over sockets of our own, where bodies come in large
 * reused buffers and a small exchange takes half the time; those of unknown size, or with a response whose pieces are
 * kept, go over node:http and node:https. Node's modules are taken as objects when first needed: an ES import of
 * node:http reads all its getters, and so loads fetch too, which takes 15 ms.
 */
export function wire(settings: WireSettings = {}): Wire {
  const { settingsOf = settingsByHost(), proxyEnv = {}, userAgent } = settings;
  const routeOf = routes({ settingsOf, env: proxyEnv, timeouts: settings.timeouts, trust: settings.trust });
  const sessions: Sessions = new Map();
  let closing = new AbortController();
  const pool = agents(settings, sessions, () => closing.signal);
  const raw = rawExchanges(sessions, () => closing.signal);
  const exchangeOverAgent = async (request: Req, route: Route, outgoing: Outgoing): Promise<Res> => {
    const agent = pool.find(request.url, route, mayUseKept(request, route));
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchange(request, { agent, route, ...outgoing });
      } catch (error) {
        if (error !== staleConnection) throw error;
        if (request.once || attempt >= maxStale)
          throw networkError(Object.assign(new Error("stale"), { code: "ECONNRESET" }), request);
      }
    }
  };
  const send = async (request: Req): Promise<Res> => {
    if (request.signal?.aborted) throw aborted(request.signal);
    const route = routeOf(request.url);
    const outgoing = outgoingOf(request, route, userAgent);
    const response = await (isPlain(request)
      ? raw.send(request, route, outgoing)
      : exchangeOverAgent(request, route, outgoing));
    if (!route.proxy || route.isTls || !isProxysOwn(response, route.proxy)) return response;
    await discard(response);
    throw proxyRefusal(response, route, route.proxy);
  };
  const trusting = async (request: Req): Promise<Res> => {
    const wasWide = routeOf.isWide(request.url);
    try {
      return await send(request);
    } catch (error) {
      if (!wasWide && isUntrusted(error) && routeOf.widen(request.url)) return send(request);
      throw error;
    }
  };
  return Object.assign(trusting, {
    close() {
      closing.abort();
      closing = new AbortController();
      pool.close();
      raw.close();
    },
  });
}

/** Whether the size of what is to be sent is known, and nothing is to come whose pieces are kept. */
function isPlain({ method, transient, body }: Req): boolean {
  return (!body || body.size !== undefined) && (method !== "GET" || transient === true);
}

function outgoingOf(request: Req, route: Route, userAgent: string | undefined): Outgoing {
  const { method, url, headers, body, anonymous } = request;
  const withLength = body ? body.size !== undefined : method !== "GET" && method !== "HEAD" && method !== "DELETE";
  const isForProxy = route.proxy !== undefined && !route.isTls;
  const sent = {
    ...(userAgent !== undefined && { "user-agent": userAgent }),
    ...(anonymous ? route.ownHeaders : route.headers),
    ...headers,
    ...(isForProxy && route.proxy.login()),
    ...(withLength && { "content-length": `${body?.size ?? 0}` }),
    ...(body && body.size === undefined && { "transfer-encoding": "chunked" }),
  };
  for (const [name, value] of Object.entries(sent)) {
    if (!isFieldValue(value))
      throw new RegistryError("INVALID", `the header ${name} has characters that HTTP has no place for`);
  }
  return { target: `${isForProxy ? url.origin : ""}${url.pathname}${url.search}`, headers: sent };
}
