import { RegistryError } from "../oci/error.ts";

/** Time and chance, so that a test can be their master. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to, but not, 1. */
  random(): number;
  /** Resolves after `ms`; rejects with ABORTED when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: Date.now, random: Math.random, sleep };

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(aborted(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** The error for a call whose signal has fired. */
export function aborted(signal?: AbortSignal): RegistryError {
  return new RegistryError("ABORTED", "interrupted", { cause: signal?.reason });
}
