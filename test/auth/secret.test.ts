import { inspect } from "node:util";
import { expect, test } from "vitest";
import { fixedSource, parseUserPassword } from "../../src/auth/flags.ts";
import { firstOf, type Credential } from "../../src/auth/credential.ts";
import { Secret } from "../../src/auth/secret.ts";

const secret = new Secret("s3cret");

test.each([
  ["a template", `so ${secret as unknown as string} it is`],
  ["a text", String(secret)],
  ["JSON", JSON.stringify({ secret })],
  ["inspect", inspect({ deep: { secret } }, { showHidden: true, depth: 9 })],
  [
    "its own parts",
    JSON.stringify([Object.getOwnPropertyNames(secret), Object.assign({}, secret), Object.values(secret)]),
  ],
  ["an error", inspect(new Error("x", { cause: secret }))],
])("a secret in %s does not show", (_, shown) => {
  expect(shown).not.toContain("s3cret");
});

test("only who asks for it gets it", () => {
  expect(secret.reveal()).toBe("s3cret");
});

test.each([
  ["ann:s3cret", { kind: "basic", username: "ann", password: "s3cret" }],
  ["ann:with:colons", { kind: "basic", username: "ann", password: "with:colons" }],
  ["ann:", { kind: "basic", username: "ann", password: "" }],
  ["<token>:abc", { kind: "identity", token: "abc" }],
])("--creds %s", (text, expected) => {
  const credential = parseUserPassword(text, "--creds");
  const revealed = Object.entries(credential).map(([name, value]) => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ]);
  expect(Object.fromEntries(revealed)).toEqual({ ...expected, origin: "--creds" });
});

test.each(["s3cret", ":s3cret"])("--creds %s is refused without being shown", (text) => {
  const parse = (): unknown => parseUserPassword(text, "--creds");
  expect(parse).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.not.stringContaining("s3cret") as string }),
  );
});

test("a fixed credential is for its host, and the first source that has one wins", async () => {
  const [one, two]: Credential[] = [parseUserPassword("one:1", "a"), parseUserPassword("two:2", "b")];
  const source = firstOf(fixedSource("a", one!, "a.example"), fixedSource("b", two!));
  expect(source.name).toBe("a, b");
  expect(await source.find("a.example", "")).toBe(one);
  expect(await source.find("b.example", "")).toBe(two);
  expect(await fixedSource("a", one!, "a.example").find("b.example", "")).toBeUndefined();
});
