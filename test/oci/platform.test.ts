import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRegistryError } from "../../src/oci/error.ts";
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  isPlatform,
  normalizePlatform,
  parsePlatform,
  type Platform,
} from "../../src/oci/platform.ts";
import { bestDuration, thrownBy } from "./hostile.ts";

describe("parsePlatform", () => {
  test.for<readonly [text: string, canonical: string]>([
    ["linux/amd64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v2", "linux/amd64/v2"],
    ["linux/amd64/2", "linux/amd64/v2"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/x86-64/v3", "linux/amd64/v3"],
    ["linux/i386", "linux/386"],
    ["linux/i686", "linux/386"],
    ["linux/386", "linux/386"],
    ["linux/arm64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/arm64/v8.0", "linux/arm64"],
    ["linux/arm64/v8.2", "linux/arm64/v8.2"],
    ["linux/arm64/9", "linux/arm64/v9"],
    ["linux/arm64/v9.0", "linux/arm64/v9"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/aarch64/v8", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["linux/arm/v6", "linux/arm/v6"],
    ["linux/arm/5", "linux/arm/v5"],
    ["linux/arm/v8", "linux/arm/v8"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/ppc64le", "linux/ppc64le"],
    ["linux/s390x", "linux/s390x"],
    ["linux/riscv64", "linux/riscv64"],
    ["linux/mips64le", "linux/mips64le"],
    ["LINUX/AMD64/V3", "linux/amd64/v3"],
    ["macos/arm64", "darwin/arm64"],
    ["windows/amd64", "windows/amd64"],
    ["windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"],
    ["windows(10.0.17763.6293)/amd64", "windows(10.0.17763.6293)/amd64"],
    ["windows()/amd64", "windows/amd64"],
    ["unknown/unknown", "unknown/unknown"],
    ["wasi/wasm", "wasi/wasm"],
    ["amd64", "linux/amd64"],
    ["arm64", "linux/arm64"],
    ["aarch64", "linux/arm64"],
    ["armhf", "linux/arm/v7"],
    [" linux/amd64\n", "linux/amd64"],
    ["constructor/__proto__", "constructor/__proto__"],
  ])("reads %j as %s", ([text, canonical]) => {
    expect(formatPlatform(parsePlatform(text))).toBe(canonical);
    expect(formatPlatform(parsePlatform(canonical))).toBe(canonical);
  });

  test.for<readonly [text: string, hint?: string]>([
    [""],
    ["/"],
    ["linux/"],
    ["/amd64"],
    ["linux//amd64"],
    ["linux/amd64/"],
    ["linux/amd64/v2/x"],
    ["linux amd64"],
    ["linux,amd64"],
    ["linux/amd64,linux/arm64"],
    ["linux/*"],
    ["windows(10.0/amd64"],
    ["windows10.0)/amd64"],
    ["(10.0)/amd64"],
    ["linux/\u00e4"],
    ["linux", "such as linux/amd64"],
    ["Windows", "such as windows/amd64"],
    ["darwin"],
  ])("refuses %j", ([text, hint = "linux/amd64"]) => {
    const error = thrownBy(() => parsePlatform(text));
    expect(error.code).toBe("INVALID");
    expect(error.hint).toContain(text === "darwin" ? "darwin/amd64" : hint);
  });

  test("any text is a platform or refused as INVALID, and formats to what it was read as", () => {
    const pieces = fc.constantFrom(
      "linux",
      "amd64",
      "arm",
      "/",
      "v8",
      "(10.0)",
      "8",
      "__proto__",
      "toString",
      " ",
      "é",
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 7 }).map((parts) => parts.join("")),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          const read = parsePlatform(one);
          expect(normalizePlatform(read)).toEqual(read);
          expect(parsePlatform(formatPlatform(read))).toEqual(read);
        } catch (error) {
          if (!isRegistryError(error, "INVALID")) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each(["a", "a/", "a(", "a-", "/"])("very much of %j is read in no time", (more) => {
    const text = more.repeat(100_000 / more.length);
    const run = (): unknown => {
      try {
        return parsePlatform(text);
      } catch (error) {
        return error;
      }
    };
    expect(bestDuration(run)).toBeLessThan(50);
  });
});

const of = (text: string): { readonly platform: Platform; readonly text: string } => ({
  platform: parsePlatform(text),
  text,
});

describe("choosePlatform", () => {
  test.for<readonly [wanted: string, offered: readonly string[], chosen: string | undefined]>([
    ["linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"],
    ["linux/amd64", ["linux/amd64/v2", "linux/amd64"], "linux/amd64"],
    ["linux/amd64", ["linux/amd64/v2"], undefined],
    ["linux/amd64", ["linux/386"], undefined],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"],
    ["linux/amd64/v3", ["linux/amd64/v3", "linux/amd64/v2"], "linux/amd64/v3"],
    ["linux/amd64/v4", ["linux/amd64"], "linux/amd64"],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"],
    ["linux/arm/v6", ["linux/arm/v7"], undefined],
    ["linux/arm/v6", ["linux/arm/v7", "linux/arm/v5"], "linux/arm/v5"],
    ["linux/arm/v6", ["linux/arm"], undefined],
    ["linux/arm", ["linux/arm/v6", "linux/arm64"], "linux/arm/v6"],
    ["linux/arm64", ["linux/arm/v7"], undefined],
    ["linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"],
    ["linux/arm64", ["linux/arm64/v9"], undefined],
    ["linux/arm64/v9", ["linux/arm64", "linux/arm64/v8.2"], "linux/arm64/v8.2"],
    ["linux/s390x", ["linux/amd64"], undefined],
    ["linux/amd64", ["windows/amd64"], undefined],
    ["linux/amd64", ["unknown/unknown"], undefined],
    ["linux/amd64", [], undefined],
    ["windows/amd64", ["windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"], "windows(10.0.17763.1)/amd64"],
    [
      "windows(10.0.20348.2)/amd64",
      ["windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"],
      "windows(10.0.20348.1)/amd64",
    ],
    [
      "windows(10.0.20348)/amd64",
      ["windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"],
      "windows(10.0.20348.1)/amd64",
    ],
    ["windows(10.0.22621)/amd64", ["windows(10.0.17763.1)/amd64"], undefined],
    ["windows(10.0.17763)/amd64", ["windows/amd64"], "windows/amd64"],
    ["linux/amd64/v", ["linux/amd64/odd"], undefined],
    ["linux/amd64/odd", ["linux/amd64", "linux/amd64/odd"], "linux/amd64/odd"],
  ])("for %s of %j is %s", ([wanted, offered, chosen]) => {
    expect(choosePlatform(parsePlatform(wanted), offered.map(of))?.text).toBe(chosen);
  });

  test("leaves out what names no platform, and takes the first of equals", () => {
    const [first, second] = [of("linux/arm64/v8"), of("linux/arm64")];
    expect(choosePlatform(parsePlatform("arm64"), [{}, { platform: undefined }])).toBeUndefined();
    expect(choosePlatform(parsePlatform("arm64"), [{ ...first, platform: undefined }, first, second])).toBe(first);
  });

  test("never takes what the machine cannot run, nor trips over odd names", () => {
    const word = fc.constantFrom(
      "linux",
      "windows",
      "amd64",
      "arm",
      "arm64",
      "constructor",
      "__proto__",
      "",
      "V8",
      "v",
      "v1e9",
      "vInfinity",
      "NaN",
    );
    const platform = fc.record({ os: word, architecture: word, variant: fc.option(word, { nil: undefined }) });
    fc.assert(
      fc.property(platform, fc.array(platform, { maxLength: 5 }), fc.boolean(), (wanted, others, isThere) => {
        const offered = isThere ? [...others, wanted] : others;
        const chosen = choosePlatform(
          wanted,
          offered.map((one) => ({ platform: one })),
        );
        if (isThere || offered.some((one) => isPlatform(wanted, one))) expect(chosen).toBeDefined();
        if (!chosen) return;
        const [a, b] = [normalizePlatform(wanted), normalizePlatform(chosen.platform)];
        expect([b.os, b.architecture]).toEqual([a.os, a.architecture]);
      }),
    );
  });
});

test.each([
  ["linux/arm64", "linux/arm64/v8", true],
  ["linux/amd64/v1", "linux/amd64", true],
  ["linux/arm", "linux/arm/v7", true],
  ["linux/arm/v7", "linux/arm/v6", false],
  ["linux/amd64", "linux/amd64/v2", false],
  ["windows/amd64", "windows(10.0.17763.1)/amd64", true],
  ["windows(10.0.17763)/amd64", "windows(10.0.17763.1)/amd64", true],
  ["windows(10.0.1776)/amd64", "windows(10.0.17763.1)/amd64", false],
  ["linux/amd64", "windows/amd64", false],
])("isPlatform(%s, %s) is %j", (wanted, offered, answer) => {
  expect(isPlatform(parsePlatform(wanted), parsePlatform(offered))).toBe(answer);
});

test("normalizePlatform keeps what it does not change", () => {
  const platform = {
    os: "windows",
    architecture: "AMD64",
    variant: "",
    "os.version": "10.0.1",
    "os.features": ["win32k"],
  };
  expect(normalizePlatform(platform)).toEqual({
    os: "windows",
    architecture: "amd64",
    "os.version": "10.0.1",
    "os.features": ["win32k"],
  });
});

test("the host's platform is one that images are made for", () => {
  const host = hostPlatform();
  expect(["linux", "windows"]).toContain(host.os);
  expect(parsePlatform(formatPlatform(host))).toEqual(host);
});
