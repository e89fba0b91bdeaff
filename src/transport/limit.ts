import { whenOver } from "./body.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { OnEvent } from "./events.ts";
import { gate, type Gate } from "./gate.ts";
import type { Quotas } from "./quotas.ts";
import { retryAfter } from "./retry-after.ts";
import type { Middleware, Req } from "./transport.ts";

export interface LimitSettings {
  /** How many requests may be under way at one host in one direction: at first, and when all goes well; 16 and 32. */
  readonly start?: number;
  readonly max?: number;
  /** How many of them may carry more than 4 MiB; as many as there may be. */
  readonly uploads?: number;
  /** The longest Retry-After that keeps the other requests to that host waiting too, in milliseconds; 5 minutes. */
  readonly patience?: number;
  readonly clock?: Clock;
  readonly onEvent?: OnEvent;
  /** Told of what answers say of limits: where nothing is left, nobody goes on until the limit starts anew. */
  readonly quotas?: Quotas;
}

/**
 * Holds requests back so that a host has as many as it bears, apart for pulls (GET, HEAD) and pushes: a push that reads
 * its body from the same host cannot wait for itself. A request is under way until its response's body is over.
 */
export function limit(settings: LimitSettings = {}): Middleware {
  const { max = 32, start = Math.min(16, max), uploads = max } = settings;
  const { patience = 300_000, clock = systemClock, onEvent, quotas } = settings;
  const gates = new Map<string, Gate>();
  const largeGates = new Map<string, Gate>();
  const gateFor = ({ method, url }: Req): Gate => {
    const direction = method === "GET" || method === "HEAD" ? "pull" : "push";
    const key = `${direction} ${url.origin}`;
    const onThrottle = (slots: number, closedMs: number): void =>
      onEvent?.({ type: "throttle", host: url.host, direction, slots, closedMs });
    const found = gates.get(key) ?? gate({ start, max, clock, onThrottle });
    gates.set(key, found);
    return found;
  };
  const largeGateFor = ({ url }: Req): Gate => {
    const found = largeGates.get(url.origin) ?? gate({ start: uploads, max: uploads, clock, onThrottle: () => {} });
    largeGates.set(url.origin, found);
    return found;
  };
  const limited: Middleware = (next) => async (request) => {
    const slot = gateFor(request);
    await slot.enter(!isBulky(request), request.signal);
    try {
      const response = await next(request);
      if (response.status === 429 || response.status === 503) {
        const asked = retryAfter(response.headers, clock.now()) ?? 0;
        slot.refused(asked <= patience ? asked : 0);
      } else {
        slot.succeeded();
      }
      const quota = quotas?.note(request.url.host, response.headers);
      if (quota?.remaining === 0 && quota.resetSeconds !== undefined && quota.resetSeconds * 1000 <= patience)
        slot.shut(quota.resetSeconds * 1000);
      return whenOver(request.method, response, () => slot.leave());
    } catch (error) {
      slot.leave();
      throw error;
    }
  };
  return (next) => {
    const send = limited(next);
    return async (request) => {
      if (!isLarge(request)) return send(request);
      const place = largeGateFor(request);
      await place.enter(true, request.signal);
      return send(request).finally(() => place.leave());
    };
  };
}

const large = 4 * 1024 * 1024;

/** Whether it brings much of a blob. Its place is free once it is answered: what the answer says is little. */
function isLarge({ body }: Req): boolean {
  return body?.size !== undefined && body.size > large;
}

/** Whether it moves a blob: those wait until manifests and questions, which others wait for, are through. */
function isBulky({ method, url, body }: Req): boolean {
  if (method === "GET") return url.pathname.includes("/blobs/");
  return body !== undefined && (method === "PATCH" || (method === "PUT" && !url.pathname.includes("/manifests/")));
}
