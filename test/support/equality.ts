import { expect } from "vitest";
import { Secret } from "../../src/auth/secret.ts";

// What a RegExp, a URL or a Secret is stands in no property, by which Vitest compares: as an expected value inside
// toMatchObject the first two equal anything, and a Secret equals any other even in toEqual.
expect.addEqualityTesters([
  (actual: unknown, expected: unknown) => {
    if (expected instanceof RegExp) return actual instanceof RegExp && String(actual) === String(expected);
    if (expected instanceof URL) return actual instanceof URL && actual.href === expected.href;
    if (expected instanceof Secret) return actual instanceof Secret && actual.reveal() === expected.reveal();
    return undefined;
  },
]);
