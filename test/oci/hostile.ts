import { RegistryError } from "../../src/oci/error.ts";

/** The RegistryError that a call throws; anything else, or nothing, fails the test. */
export function thrownBy(call: () => unknown): RegistryError {
  try {
    call();
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** How long a call takes, in ms. */
export function duration(call: () => unknown): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

/** The best of a few runs, in ms: what the call needs, without what else the machine was doing. */
export function bestDuration(call: () => unknown): number {
  return Math.min(...Array.from({ length: 3 }, () => duration(call)));
}
