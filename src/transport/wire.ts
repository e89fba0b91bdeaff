import type { Agent } from "node:http";
import { aborted } from "./clock.ts";
import { RegistryError } from "../oci/error.ts";
import { agents, isProxied, type AgentSettings } from "./agents.ts";
import { exchange, staleConnection, timeoutsFor, type Timeouts } from "./exchange.ts";
import { settingsByHost, type SettingsOf } from "./host-settings.ts";
import { isUntrusted, networkError } from "./network-error.ts";
import { rawExchanges } from "./raw/raw.ts";
import { tlsContexts, type Trust } from "./tls.ts";
import type { Req, Res, Transport } from "./transport.ts";

export interface WireSettings extends AgentSettings {
  readonly settingsOf?: SettingsOf;
  readonly trust?: Trust;
  readonly userAgent?: string;
  readonly timeouts?: Partial<Timeouts>;
}

/** A registry may take minutes to assemble a large upload before it answers. */
const defaultTimeouts: Timeouts = { connect: 30_000, answer: 300_000, idle: 60_000 };

/** So many dead connections are tried before one is opened afresh. */
const maxStale = 16;

/** A transport over the network, and a way to end all its connections. */
export type Wire = Transport & { close(): void };

/**
 * HTTP/1.1; connections are kept and used again. Most requests go over sockets of our own, where bodies come in large
 * reused buffers and a small exchange takes half the time; those through a proxy, of unknown size, or with a response
 * whose pieces are kept, go over node:http and node:https. Node's modules are taken as objects when first needed: an
 * ES import of node:http reads all its getters, and so loads fetch too, which takes 15 ms.
 */
export function wire(settings: WireSettings = {}): Wire {
  const tlsOf = tlsContexts(settings.settingsOf ?? settingsByHost(), settings.trust);
  const pool = agents(settings, tlsOf);
  const timeouts = { ...defaultTimeouts, ...settings.timeouts };
  const raw = rawExchanges({ timeouts, tlsOf });
  const agentFor = (request: Req): Agent => {
    try {
      return pool.find(request.url);
    } catch (error) {
      throw networkError(error, request);
    }
  };
  const send = async (request: Req): Promise<Res> => {
    if (request.signal?.aborted) throw aborted(request.signal);
    const headers = outgoingHeaders(request, settings.userAgent);
    if (isPlain(request) && !isProxied(request.url, settings.proxyEnv)) return raw.send(request, headers);
    const agent = agentFor(request);
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchange(request, agent, headers, timeoutsFor(request, timeouts));
      } catch (error) {
        if (error !== staleConnection) throw error;
        if (request.once || attempt >= maxStale)
          throw networkError(Object.assign(new Error("stale"), { code: "ECONNRESET" }), request);
      }
    }
  };
  const trusting = async (request: Req): Promise<Res> => {
    const { host } = request.url;
    const wasWide = tlsOf.isWide(host);
    try {
      return await send(request);
    } catch (error) {
      if (!wasWide && isUntrusted(error) && tlsOf.widen(host)) return send(request);
      throw error;
    }
  };
  return Object.assign(trusting, {
    close() {
      pool.close();
      raw.close();
    },
  });
}

/** Whether the size of what is to be sent is known, and nothing is to come whose pieces are kept. */
function isPlain({ method, transient, body }: Req): boolean {
  return (!body || body.size !== undefined) && (method !== "GET" || transient === true);
}

const fieldForm = /^[\t\x20-\x7e\x80-\xff]*$/;

function outgoingHeaders({ method, headers, body }: Req, userAgent: string | undefined): Record<string, string> {
  const withLength = body ? body.size !== undefined : method !== "GET" && method !== "HEAD" && method !== "DELETE";
  for (const [name, value] of Object.entries(headers)) {
    if (!fieldForm.test(value))
      throw new RegistryError("INVALID", `the header ${name} has characters that HTTP has no place for`);
  }
  return {
    ...(userAgent !== undefined && { "user-agent": userAgent }),
    ...headers,
    ...(withLength && { "content-length": `${body?.size ?? 0}` }),
    ...(body && body.size === undefined && { "transfer-encoding": "chunked" }),
  };
}
