import * as fc from "fast-check";
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

/** Texts of any UTF-16 code units, halves of surrogates too. */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
});
