import { describe, expect, test } from "vitest";
import {
  count,
  formatMoment,
  formatSize,
  formatSpan,
  paint,
  plain,
  safeJson,
  screenText,
  shortDigest,
} from "../../../src/cli/render/text.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [1234, "1.2 kB"],
  [99_949, "99.9 kB"],
  [99_950, "100 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [1.5e9, "1.5 GB"],
  [2e18, "2000 PB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test.each([
  [0.4, "0 ms"],
  [999, "999 ms"],
  [1000, "1.0 s"],
  [59_949, "59.9 s"],
  [59_951, "1m 00s"],
  [245_000, "4m 05s"],
  [3_599_600, "1h 00m"],
  [7_800_000, "2h 10m"],
])("%d milliseconds are %s", (ms, text) => {
  expect(formatSpan(ms)).toBe(text);
});

test.each([
  ["2026-11-20T14:05:59.123Z", "2026-11-20 14:05"],
  ["not a time", "not a time"],
  [undefined, ""],
])("the moment %s is %s", (iso, text) => {
  expect(formatMoment(iso)).toBe(text);
});

test.each([
  [`sha256:${"ab".repeat(32)}`, "sha256:abababababab"],
  ["latest", "latest"],
  ["sha256:abc", "sha256:abc"],
])("%s shortens to %s", (digest, short) => {
  expect(shortDigest(digest)).toBe(short);
});

test.each([
  [0, "0 layers"],
  [1, "1 layer"],
  [2, "2 layers"],
])("%d", (n, text) => {
  expect(count(n, "layer")).toBe(text);
});

describe("what a registry sends cannot forge a screen", () => {
  const hostile = "a\u001B[2Jb\u009Bc\u202Ed\u0007e\r\n\u2028f\u0000";

  test("in a cell", () => {
    expect(plain(hostile)).toBe(String.raw`a\u001b[2Jb\u009bc\u202ed\u0007e\u000d\n\u2028f\u0000`);
  });

  test("in JSON, which still says the same", () => {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(safeJson({ hostile })).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u202E]/);
    expect(JSON.parse(safeJson({ hostile }))).toEqual({ hostile });
  });

  test("in a document, whose lines stay lines", () => {
    expect(screenText("{\n \u001B[31m}\n")).toBe(`{\n ${String.raw`\u001b`}[31m}`);
  });
});

test("colours are for those who see them", () => {
  expect(paint({ color: false }, "red", "x")).toBe("x");
  expect(paint({ color: true }, "red", "x")).toBe("\u001B[31mx\u001B[39m");
});
