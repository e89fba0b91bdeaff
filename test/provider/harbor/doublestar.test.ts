import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isDoublestarMatch } from "../../../src/provider/harbor/doublestar.ts";

// As bmatcuk/doublestar v1.3.4 answers, which Harbor's go.mod has: github.com/bmatcuk/doublestar/blob/v1.3.4/doublestar_test.go
test.each<[string, string, boolean]>([
  ["", "app", true],
  ["app", "app", true],
  ["app", "apps", false],
  ["*", "app", true],
  ["*", "team/app", false],
  ["**", "app", true],
  ["**", "team/sub/app", true],
  ["team/**", "team", false],
  ["team/**", "team/app", true],
  ["team/**", "team/sub/app", true],
  ["**/app", "app", true],
  ["**/app", "team/sub/app", true],
  ["**/app", "team/myapp", false],
  ["a/**/d", "a/d", true],
  ["a/**/d", "a/b/c/d", true],
  ["a/**/d", "a/b/c/e", false],
  ["team**", "team/app", false],
  ["team**", "team-app", true],
  ["***", "team", true],
  ["v?.*", "v1.20", true],
  ["a?b", "a/b", false],
  ["v[0-9]", "v7", true],
  ["v[^0-9]", "v7", false],
  ["v[^0-9]", "va", true],
  ["[\\-x]", "-", true],
  ["[\\]x]", "]", true],
  ["[-x]", "x", false],
  ["[x-]", "x", false],
  ["[a-b-c]", "a", false],
  ["[", "a", false],
  ["[]a]", "]", false],
  ["a[", "ab", false],
  ["\\", "a", false],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["{dev,test}-*", "test-1", true],
  ["{dev,test}-*", "prod-1", false],
  ["a{,bc}", "a", true],
  ["a{,bc}", "abc", true],
  ["a/{b/c,c/b}", "a/c/b", true],
  ["{a/{b,c},abc}", "a/c", true],
  ["{a/{b,c},abc}", "a/b/c", false],
  ["{a,b", "a", false],
  ["a}", "a}", true],
])("%s and %s: %s", (pattern, text, expected) => {
  expect(isDoublestarMatch(pattern, text)).toBe(expected);
});

test("any pattern is answered, and soon", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab*?[]{},\\-^/".split("")) }), fc.string(), (pattern, text) => {
      expect(typeof isDoublestarMatch(pattern, text)).toBe("boolean");
    }),
  );
  expect(isDoublestarMatch("*a".repeat(200) + "!", "a".repeat(5000))).toBe(false);
  expect(isDoublestarMatch(`${"{a,".repeat(200)}b${"}".repeat(200)}`, "b")).toBe(true);
});

test("a text is what it says itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."abc/._-".split("")), minLength: 1 }), (text) => {
      expect(isDoublestarMatch(text, text)).toBe(true);
    }),
  );
});
