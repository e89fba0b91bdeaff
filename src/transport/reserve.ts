import { RegistryError } from "../oci/error.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { SettingsOf } from "./host-settings.ts";
import type { Quotas } from "./quotas.ts";
import { isPassing } from "./retry.ts";
import { discard, type Middleware, type Req, type Res, type Transport } from "./transport.ts";

export interface ReserveSettings {
  readonly settingsOf: SettingsOf;
  readonly quotas: Quotas;
  readonly clock?: Clock;
}

/** What is known from longer ago is asked for again before anything is refused for it: others pull, and limits start anew. */
const freshness = 60_000;

/** What goes on at one host. */
interface Pulls {
  /** How many are under way, which `remaining` may or may not count yet. */
  underWay: number;
  /** Settles when one of them is over. */
  next: PromiseWithResolvers<void>;
  /** Whether the host tells of no limit. */
  isUnlimited: boolean;
  /** One question at a time. */
  asking?: Promise<unknown>;
}

/**
 * Leaves so many pulls of a host's rate limit alone as its settings say: a GET of a manifest is sent only while more are
 * left. How many are is known from earlier answers, or asked for by a HEAD of the same manifest, which no host counts.
 * Throws TOOMANYREQUESTS, which trying again does not mend.
 */
export function reserve({ settingsOf, quotas, clock = systemClock }: ReserveSettings): Middleware {
  const hosts = new Map<string, Pulls>();
  const pullsOf = (host: string): Pulls => {
    const found = hosts.get(host) ?? { underWay: 0, next: Promise.withResolvers(), isUnlimited: false };
    hosts.set(host, found);
    return found;
  };
  return (next) => async (request) => {
    const { host } = request.url;
    const kept = isPull(request) ? settingsOf(host).quotaReserve : undefined;
    if (kept === undefined) return next(request);
    const pulls = pullsOf(host);
    const refusal = await enter(next, request, { pulls, kept, quotas, clock });
    if (refusal) return refusal;
    try {
      return await next(request);
    } finally {
      pulls.underWay--;
      pulls.next.resolve();
      pulls.next = Promise.withResolvers();
    }
  };
}

interface Reserve {
  readonly pulls: Pulls;
  readonly kept: number;
  readonly quotas: Quotas;
  readonly clock: Clock;
}

/** Waits until a pull may go, and counts it; answers with what the host said instead where it would not be asked. */
async function enter(next: Transport, request: Req, { pulls, kept, quotas, clock }: Reserve): Promise<Res | undefined> {
  const { host } = request.url;
  for (let isAsked = false; ;) {
    const quota = quotas.find(host);
    const left = quota === undefined ? undefined : quota.remaining - pulls.underWay;
    if (pulls.isUnlimited || (left !== undefined && left > kept) || (left === undefined && isAsked)) {
      pulls.underWay++;
      return undefined;
    }
    if (left !== undefined && pulls.underWay > 0) await pulls.next.promise;
    else if (quota && clock.now() - quota.at <= freshness) throw refused(host, quota.remaining, kept);
    else if (pulls.asking) await pulls.asking.catch(() => {});
    else {
      const asking = question(next, request, pulls, quotas);
      pulls.asking = asking;
      const refusal = await asking.finally(() => delete pulls.asking);
      if (refusal) return refusal;
      isAsked = true;
    }
  }
}

/** Asks how much is left; a host that has the manifest and does not say has no limit that it tells of. */
async function question(next: Transport, request: Req, pulls: Pulls, quotas: Quotas): Promise<Res | undefined> {
  const before = quotas.find(request.url.host);
  const response = await next({ ...request, method: "HEAD" });
  if (isPassing(response.status)) return response;
  await discard(response);
  if (response.status === 200) pulls.isUnlimited = quotas.find(request.url.host) === before;
  return undefined;
}

function isPull({ method, url }: Req): boolean {
  return method === "GET" && /^\/v2\/.+\/manifests\/[^/]+$/.test(url.pathname);
}

function refused(host: string, remaining: number, kept: number): RegistryError {
  return new RegistryError(
    "TOOMANYREQUESTS",
    `${host} allows ${remaining} more pull${remaining === 1 ? "" : "s"}, and ${kept} are kept in reserve`,
    { host, hint: "log in to be allowed more, wait for the limit to start anew, or keep fewer in reserve" },
  );
}
