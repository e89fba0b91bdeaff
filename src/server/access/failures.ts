import { recent } from "./recent.ts";

/** Counts attempts against what may fail, and says when a key has had too many. */
export interface FailureLimit {
  /** Takes one attempt: 0, or, where none is left, the seconds until there is one again. */
  take(key: string): number;
  /** Gives an attempt back: it did not fail. */
  giveBack(key: string): void;
}

/**
 * Allows each key `burst` failures at once, and one more every `interval` milliseconds. An attempt counts as a failure
 * until it is given back, so many at once get no further than many in a row. It remembers 10 000 keys at most.
 */
export function failureLimit({
  burst,
  interval,
  now,
}: {
  readonly burst: number;
  readonly interval: number;
  readonly now: () => number;
}): FailureLimit {
  /** When, at one failure an interval, the last failure of a key would have been due. */
  const due = recent<number>(10_000);
  return {
    take: (key) => {
      const time = now();
      const next = Math.max(time, due.get(key) ?? 0) + interval;
      const wait = next - time - burst * interval;
      if (wait > 0) return Math.ceil(wait / 1000);
      due.set(key, next);
      return 0;
    },
    giveBack: (key) => {
      const time = due.get(key);
      if (time !== undefined) due.set(key, time - interval);
    },
  };
}

/** The limits of failed logins: by client and user, so that nobody locks others out, and by client. */
export function loginLimit(now: () => number): {
  take(user: string, client: string): number;
  giveBack(user: string, client: string): void;
} {
  const ofUser = failureLimit({ burst: 10, interval: 6000, now });
  const ofClient = failureLimit({ burst: 100, interval: 600, now });
  const pair = (user: string, client: string): string => `${client} ${user}`;
  return {
    take: (user, client) => {
      const wait = ofUser.take(pair(user, client));
      if (wait > 0) return wait;
      const clientWait = ofClient.take(client);
      if (clientWait > 0) ofUser.giveBack(pair(user, client));
      return clientWait;
    },
    giveBack: (user, client) => {
      ofUser.giveBack(pair(user, client));
      ofClient.giveBack(client);
    },
  };
}
