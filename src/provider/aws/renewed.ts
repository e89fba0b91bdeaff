import { until } from "../../auth/until.ts";
import type { Clock } from "../../transport/clock.ts";

/** Something that is good for a while. */
export interface Passing<T> {
  readonly value: T;
  /** In milliseconds since 1970; absent for what does not say. */
  readonly expires?: number | undefined;
}

/** So long before something expires it is got anew, in milliseconds. */
export const early: number = 5 * 60_000;
const shortest = 60_000;
const unsaid = 15 * 60_000;

/**
 * Gets a thing once for all who ask, keeps it until five minutes before it expires, and gets it anew then. What says
 * that it has expired already is kept for a minute, and so never asked for in a loop; a failure is not kept.
 */
export function renewed<T>(clock: Clock, get: () => Promise<Passing<T>>): (signal?: AbortSignal) => Promise<T> {
  let known: { readonly value: T; readonly end: number } | undefined;
  let getting: Promise<T> | undefined;
  const renew = async (): Promise<T> => {
    const { value, expires } = await get();
    const now = clock.now();
    known = { value, end: endOf(expires, now) };
    return value;
  };
  return (signal) => {
    if (known && clock.now() < known.end) return Promise.resolve(known.value);
    getting ??= renew().finally(() => (getting = undefined));
    return until(getting, signal);
  };
}

function endOf(expires: number | undefined, now: number): number {
  if (expires === undefined || Number.isNaN(expires)) return now + unsaid;
  const soon = now + shortest;
  return Math.max(expires - early, expires > now ? Math.min(expires, soon) : soon);
}
