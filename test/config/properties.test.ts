import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { expand, hasVariable } from "../../src/config/expand.ts";
import { nearest } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { formatDuration, readDuration, readSize, readSpan } from "../../src/config/quantity.ts";
import { configKeys } from "../../src/config/schema.ts";
import { settingName } from "../../src/config/setting.ts";
import { machine, put } from "./support.ts";

test("whatever a file has in it, it is read or refused with its name and place", async () => {
  const made = await machine();
  const yaml = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..."jobs: \n\t[]{}*&!?-#'\"|>%@`$,a1~".split("")) }),
    fc
      .record({ key: fc.constantFrom(...configKeys), value: fc.jsonValue() })
      .map(({ key, value }) => stringify({ [key]: value })),
    fc.uint8Array({ maxLength: 200 }),
  );
  await fc.assert(
    fc.asyncProperty(yaml, async (text) => {
      await put(made.userFile, text);
      try {
        await loadConfig(made);
      } catch (error) {
        expect(error).toMatchObject({
          code: "INVALID",
          message: expect.stringMatching(/^\/.*config\.yaml:\d+:\d+: /s),
        });
      }
    }),
    { numRuns: 1000 },
  );
});

test("no fault repeats a secret", async () => {
  const made = await machine();
  const secret = "s3cret-s3cret";
  const entry = fc.dictionary(
    fc.constantFrom("username", "password", "token", "identityToken", "passwordFile", "tokn"),
    fc.constantFrom(
      `"${secret}"`,
      `[${secret}]`,
      `{a: ${secret}}`,
      `!${secret} x`,
      `*${secret}`,
      `"${secret}`,
      `@${secret}`,
    ),
  );
  await fc.assert(
    fc.asyncProperty(entry, async (fields) => {
      const lines = Object.entries(fields).map(([key, value]) => `    ${key}: ${value}\n`);
      await put(made.userFile, `credentials:\n  a.example:\n${lines.join("")}`);
      const message = await loadConfig(made).then(
        () => "",
        (error: unknown) => `${String(error)} ${(error as { hint?: string }).hint}`,
      );
      expect(message).not.toContain(secret);
    }),
    { numRuns: 300 },
  );
});

test("a time that is written is read as the same", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (ms) => {
      expect(readDuration(formatDuration(ms))).toBe(ms);
    }),
  );
  fc.assert(
    fc.property(fc.nat(999_999), (minutes) => {
      expect(readSpan(formatDuration(minutes * 60_000, "m"))).toBe(minutes * 60_000);
    }),
  );
});

test.each([
  ["10", 10_000],
  ["1.5s", 1500],
  ["500ms", 500],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["1h30m", 5_400_000],
  [" 1m 0.5s ", 60_500],
  ["10 s", 10_000],
  ["1d", 86_400_000],
  ["2w", 1_209_600_000],
  ["0", 0],
  ["25 days", undefined],
  ["25d", undefined],
  ["4w", undefined],
  ["1h30", undefined],
  ["1.s", undefined],
  ["2147484s", undefined],
  ["-1s", undefined],
  ["", undefined],
  ["s", undefined],
  ["1e3", undefined],
])("the time %j is %j ms", (text, ms) => {
  expect(readDuration(text)).toBe(ms);
});

test.each([
  ["90m", 5_400_000],
  ["36h", 129_600_000],
  ["1d12h", 129_600_000],
  [" 1.5 d ", 129_600_000],
  ["99999w", 99_999 * 604_800_000],
  ["999999.999w", Math.round(999_999.999 * 604_800_000)],
  ["0m", 0],
  ["30s", undefined],
  ["500ms", undefined],
  ["1h30s", undefined],
  ["30", undefined],
  ["1000000w", undefined],
  ["14 days", undefined],
  ["", undefined],
])("the age %j is %j ms: nothing is said in seconds, which deletes where a d was meant", (text, ms) => {
  expect(readSpan(text)).toBe(ms);
});

test.each([
  ["800k", 800_000],
  ["20MB", 20_000_000],
  ["1.5GiB", 1_610_612_736],
  ["1MB/s", 1_000_000],
  ["0", undefined],
  ["9999999999999GB", undefined],
  ["MB", undefined],
])("the size %j is %j bytes", (text, bytes) => {
  expect(readSize(text)).toBe(bytes);
});

test("a text without dollars stays as it is, and a doubled dollar is one", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bare = text.replaceAll("$", "");
      expect(expand(bare, {})).toEqual({ text: bare });
      expect(expand(text.replaceAll("$", "$$$$"), {})).toEqual({ text });
      expect(hasVariable(text.replaceAll("$", "$$$$"))).toBe(false);
    }),
  );
});

test("names of settings are of one path each", () => {
  const path = fc.array(fc.string(), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, path, (a, b) => {
      expect(settingName(a) === settingName(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test("a key with two letters swapped, or one more, one less or another, is guessed", () => {
  const slip = fc.record({ key: fc.constantFrom(...configKeys), at: fc.nat(20), kind: fc.constantFrom(0, 1, 2, 3) });
  fc.assert(
    fc.property(slip, ({ key, at, kind }) => {
      const i = at % (key.length - 1);
      const typed = [
        `${key.slice(0, i)}${key[i + 1]}${key[i]}${key.slice(i + 2)}`,
        `${key.slice(0, i)}x${key.slice(i)}`,
        `${key.slice(0, i)}${key.slice(i + 1)}`,
        `${key.slice(0, i)}x${key.slice(i + 1)}`,
      ][kind]!;
      expect(nearest(typed, configKeys)).toBe(key);
    }),
  );
});
