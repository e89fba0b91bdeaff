import { aborted, type Clock } from "../../src/transport/clock.ts";

/** A clock whose waits end at once; `waits` is what was waited for, in milliseconds. */
export function instantClock(): Clock & { readonly waits: readonly number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => 0,
    random: () => 0.5,
    async sleep(ms, signal) {
      if (signal?.aborted) throw aborted(signal);
      waits.push(ms);
    },
  };
}
