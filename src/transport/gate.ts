import { aborted, type Clock } from "./clock.ts";

export interface GateSettings {
  /** How many may be inside: at first, at most. */
  readonly start: number;
  readonly max: number;
  readonly clock: Clock;
  /** Called when the other end made it smaller or shut it. */
  onThrottle(slots: number, closedMs: number): void;
}

/** Lets so many in at a time, as the other end bears: one more after each round of successes, half after a refusal. */
export interface Gate {
  /** Resolves when there is a slot: the urgent first, else in order. Rejects with ABORTED when the signal fires. */
  enter(urgent: boolean, signal?: AbortSignal): Promise<void>;
  /** Gives a slot back. */
  leave(): void;
  succeeded(): void;
  /** The other end has enough: lets nobody in for `closedMs`. */
  refused(closedMs: number): void;
  /** The other end will have enough: lets nobody in for `closedMs`, and then as many as before. */
  shut(closedMs: number): void;
}

/** Refusals of requests that were under way together count once. */
const epoch = 100;

export function gate(settings: GateSettings): Gate {
  const { start, max, clock } = settings;
  const urgentQueue = new Set<() => void>();
  const queue = new Set<() => void>();
  let slots = start;
  let inside = 0;
  let successes = 0;
  let halvedAt = Number.NEGATIVE_INFINITY;
  let opensAt = 0;
  let opening = false;

  const reopen = async (closedMs: number): Promise<void> => {
    await clock.sleep(closedMs);
    opening = false;
    admit();
  };
  const admit = (): void => {
    if (opening) return;
    const closedMs = opensAt - clock.now();
    if (closedMs > 0 && urgentQueue.size + queue.size > 0) {
      opening = true;
      void reopen(closedMs);
      return;
    }
    while (inside < slots) {
      const first = urgentQueue.size > 0 ? urgentQueue : queue;
      const [next] = first;
      if (!next) return;
      first.delete(next);
      inside++;
      next();
    }
  };

  return {
    enter: (urgent, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(aborted(signal));
        // Whoever needs not wait needs no ear on the signal, which costs more than all the rest.
        if (inside < slots && urgentQueue.size + queue.size === 0 && opensAt <= clock.now()) {
          inside++;
          return resolve();
        }
        const line = urgent ? urgentQueue : queue;
        const abort = (): void => {
          line.delete(go);
          reject(aborted(signal));
        };
        const go = (): void => {
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        signal?.addEventListener("abort", abort, { once: true });
        line.add(go);
        admit();
      }),
    leave() {
      inside--;
      admit();
    },
    succeeded() {
      if (++successes < slots) return;
      successes = 0;
      if (slots < max) slots++;
      admit();
    },
    shut(closedMs) {
      const until = clock.now() + closedMs;
      if (until <= opensAt) return;
      opensAt = until;
      settings.onThrottle(slots, closedMs);
    },
    refused(closedMs) {
      const now = clock.now();
      successes = 0;
      opensAt = Math.max(opensAt, now + closedMs);
      if (now - halvedAt < epoch) return;
      halvedAt = now;
      slots = Math.max(1, Math.floor(slots / 2));
      settings.onThrottle(slots, closedMs);
    },
  };
}
