import { systemClock, type Clock } from "./clock.ts";
import type { OnEvent } from "./events.ts";
import { parseQuota, type Quota } from "./rate-limit.ts";

/** What hosts told last of their limits, and when. */
export interface Quotas {
  /** Takes note of an answer; what it says, if anything. */
  note(host: string, headers: Readonly<Record<string, string>>): Quota | undefined;
  /** What a host told last. */
  find(host: string): (Quota & { readonly at: number }) | undefined;
}

/** Remembers the limits that hosts tell, and tells of each change. */
export function quotas(settings: { readonly clock?: Clock; readonly onEvent?: OnEvent } = {}): Quotas {
  const { clock = systemClock, onEvent } = settings;
  const known = new Map<string, Quota & { readonly at: number }>();
  return {
    note(host, headers) {
      const at = clock.now();
      const quota = parseQuota(headers, at);
      if (!quota) return undefined;
      const before = known.get(host);
      known.set(host, { ...quota, at });
      if (before?.remaining !== quota.remaining || before.limit !== quota.limit)
        onEvent?.({ type: "quota", host, ...quota });
      return quota;
    },
    find: (host) => known.get(host),
  };
}
