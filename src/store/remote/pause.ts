import { setTimeout } from "node:timers/promises";
import { RegistryError } from "../../oci/error.ts";

/** Waits; rejects with ABORTED as soon as the signal fires. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** How often in a row something may fail without getting further before it is given up. */
export const attemptLimit = 5;

const firstPause = 500;
const longestPause = 20_000;
const longestAsked = 300_000;

export const sleep: Sleep = async (milliseconds, signal) => {
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch (cause) {
    throw new RegistryError("ABORTED", "stopped while waiting to try again", { cause });
  }
};

/** The milliseconds to wait after the n-th failure (from 1): random up to a bound that doubles, and no less than was asked for. */
export function pauseAfter(failures: number, askedSeconds?: number): number {
  const jittered = Math.random() * Math.min(longestPause, firstPause * 2 ** (failures - 1));
  return Math.max(jittered, Math.min(longestAsked, (askedSeconds ?? 0) * 1000));
}
