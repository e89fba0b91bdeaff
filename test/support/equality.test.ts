import { expect, test } from "vitest";
import { Secret } from "../../src/auth/secret.ts";

test.each<[string, unknown, unknown]>([
  ["a text and a RegExp", "abc", /abc/],
  ["two RegExps", /abc/, /abc/i],
  ["two URLs", new URL("https://a.example/"), new URL("https://b.example/")],
  ["a text and a URL", "https://a.example/", new URL("https://a.example/")],
  ["two secrets", new Secret("a"), new Secret("b")],
  ["a text and a secret", "a", new Secret("a")],
])("%s are not the same to any assertion", (_, actual, expected) => {
  expect({ it: actual }).not.toMatchObject({ it: expected });
  expect([{ deep: { it: actual } }]).not.toMatchObject([{ deep: { it: expected } }]);
  expect({ it: actual }).not.toEqual({ it: expected });
  expect({ it: actual }).not.toStrictEqual({ it: expected });
});

test.each<[string, () => unknown]>([
  ["a RegExp", () => /abc/i],
  ["a URL", () => new URL("https://a.example/")],
  ["a secret", () => new Secret("a")],
])("%s is the same as its like", (_, make) => {
  expect({ it: make() }).toMatchObject({ it: make() });
  expect({ it: make() }).toEqual({ it: make() });
});
