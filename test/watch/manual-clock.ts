import { setImmediate as turn } from "node:timers/promises";
import { aborted, type Clock } from "../../src/transport/clock.ts";

export interface ManualClock extends Clock {
  /** Lets time pass, from one sleeper's end to the next, and everybody do what is to be done then. */
  pass(ms: number): Promise<void>;
  /** Sets the clock; nobody wakes up for it. */
  set(now: number): void;
}

/** A clock that stands still until it is told. Sleepers count time, not the clock: they do not mind when it is set. */
export function manualClock(start: number, random = 0): ManualClock {
  let now = start;
  const sleepers = new Set<{ left: number; wake: () => void }>();
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await turn();
  };
  return {
    now: () => now,
    random: () => random,
    set: (to) => void (now = to),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(aborted(signal));
        const sleeper = { left: ms, wake: () => {} };
        const stop = (): void => {
          sleepers.delete(sleeper);
          reject(aborted(signal));
        };
        sleeper.wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", stop);
          resolve();
        };
        signal?.addEventListener("abort", stop, { once: true });
        sleepers.add(sleeper);
      }),
    async pass(ms) {
      await settle();
      for (let left = ms; left > 0;) {
        const step = Math.min(left, ...[...sleepers].map((one) => one.left));
        left -= step;
        now += step;
        for (const one of sleepers) one.left -= step;
        for (const one of sleepers) if (one.left <= 0) one.wake();
        await settle();
      }
    },
  };
}
