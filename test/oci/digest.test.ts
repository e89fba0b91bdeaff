import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { algorithmOf, digester, digestOf, hexOf, isDigest, parseDigest } from "../../src/oci/digest.ts";
import { bestDuration, thrownBy } from "./hostile.ts";
import { hex, sha256, sha512 } from "./reference-table.ts";

// The empty text and "abc", from FIPS 180-2's examples.
const empty256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const abc256 = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const abc512 =
  "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

describe("parseDigest", () => {
  test.each([sha256, sha512, empty256, abc512])("reads %s", (text) => {
    expect(isDigest(text)).toBe(true);
    expect(parseDigest(text)).toBe(text);
    expect(`${algorithmOf(parseDigest(text))}:${hexOf(parseDigest(text))}`).toBe(text);
  });

  test.each([
    ["", 1, "without an algorithm"],
    [hex, 1, "without an algorithm"],
    [":", 1, 'unknown digest algorithm ""'],
    [`:${hex}`, 1, 'unknown digest algorithm ""'],
    [`SHA256:${hex}`, 1, 'unknown digest algorithm "SHA256"'],
    [`sha384:${hex}`, 1, 'unknown digest algorithm "sha384"'],
    [`sha256+b64:${hex}`, 1, 'unknown digest algorithm "sha256+b64"'],
    [`constructor:${hex}`, 1, 'unknown digest algorithm "constructor"'],
    ["sha256:", 8, "0 hexadecimal characters instead of 64"],
    [`sha256:${hex}${hex}`, 8, "128 hexadecimal characters instead of 64"],
    [`sha512:${hex}`, 8, "64 hexadecimal characters instead of 128"],
    [`sha256:${hex.toUpperCase()}`, 18, '"A" is not a lower-case hexadecimal character'],
    [`${sha256}\n`, 72, '"\\n" is not a lower-case hexadecimal character'],
    [` ${sha256}`, 1, 'unknown digest algorithm " sha256"'],
    [`sha256:${hex.slice(1)}\u0661`, 71, "is not a lower-case hexadecimal character"],
  ])("refuses %j", (text, position, message) => {
    expect(isDigest(text)).toBe(false);
    const error = thrownBy(() => parseDigest(text));
    expect(error).toMatchObject({ code: "DIGEST_INVALID", hint: expect.stringContaining("sha256: and 64") });
    expect(error.message).toContain(message);
    expect(error.message).toMatch(new RegExp(`, at position ${position}$`));
  });

  test.each(["sha256:" + "a".repeat(100_000), "a".repeat(100_000) + ":", ":".repeat(100_000)])(
    "refuses what is long in no time, and in few words",
    (text) => {
      expect(thrownBy(() => parseDigest(text)).message.length).toBeLessThan(1000);
      expect(bestDuration(() => thrownBy(() => parseDigest(text)))).toBeLessThan(50);
    },
  );
});

test("digestOf takes what FIPS 180-2 says", () => {
  expect(digestOf("")).toBe(empty256);
  expect(digestOf("abc")).toBe(abc256);
  expect(digestOf("abc", "sha512")).toBe(abc512);
});

test("a digester agrees with digestOf, however the bytes are cut, and counts them", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 });
  fc.assert(
    fc.property(pieces, fc.constantFrom("sha256" as const, "sha512" as const), (parts, algorithm) => {
      const state = digester(algorithm);
      for (const part of parts) state.update(part);
      const whole = Buffer.concat(parts);
      expect(state.size).toBe(whole.byteLength);
      expect(state.digest()).toBe(digestOf(whole, algorithm));
    }),
  );
  expect(digester().digest()).toBe(empty256);
});
