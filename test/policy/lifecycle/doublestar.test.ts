import { expect, test } from "vitest";
import { doublestarRegex } from "../../../src/policy/lifecycle/doublestar.ts";
import { fromHarbor, toHarbor } from "../../../src/policy/lifecycle/harbor/document.ts";

const fits = (pattern: string, text: string): boolean => new RegExp(`^(?:${doublestarRegex(pattern)})$`).test(text);

// What github.com/bmatcuk/doublestar says, v4.10.0 (zot) and v1.3.4 (Harbor).
const table: readonly (readonly [pattern: string, text: string, v4: boolean, v1: boolean])[] = [
  ["a/**", "a", true, false],
  ["a/**", "a/b/c", true, true],
  ["{x,a/**}", "a", true, false],
  ["a/**/b", "a/b", true, true],
  ["a/**/b", "a/x/y/b", true, true],
  ["**/a", "a", true, true],
  ["**/a", "b/c/a", true, true],
  ["**", "a/b", true, true],
  ["a**", "ab", true, true],
  ["a**", "a/b", false, false],
  ["*", "a/b", false, false],
  ["?", "/", false, false],
  ["{a,b/c}", "b/c", true, true],
  ["[ab]", "b", true, true],
  ["[!a]", "b", true, false],
  ["[!a]", "a", false, true],
  ["[^a]", "b", true, true],
  ["a.b", "axb", false, false],
];

test.each(table)("%s fits %s: %s, in Harbor %s", (pattern, text, v4, v1) => {
  expect([fits(pattern, text), fits(fromHarbor(pattern), text)]).toEqual([v4, v1]);
});

test.each([
  ["a/**", "{a,a/**}"],
  ["a/**/*", "a/**"],
  ["{app,web/**}", "{app,web,web/**}"],
  ["**", "**"],
  ["v[!0]*", "v[^0]*"],
])("%s is %s in Harbor", (glob, pattern) => {
  expect(toHarbor(glob)).toBe(pattern);
  expect(toHarbor(fromHarbor(pattern))).toBe(pattern);
});
