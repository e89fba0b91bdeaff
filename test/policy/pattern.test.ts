import { expect, test } from "vitest";
import { fitter, regex } from "../../src/policy/lifecycle/tag-pattern.ts";
import { parsePattern } from "../../src/policy/pattern.ts";
import { readStreams } from "../../src/policy/retain/streams.ts";

const brackets = "is not a glob: its brackets or braces are not right";
const forEver = "repeats what repeats already, and could take for ever";

test.each([
  ["[z-a]", brackets],
  ["v{1,2", brackets],
  ["/(/", "is not a regular expression"],
  ["/(?i)v(/", "is not a regular expression"],
  ["/(a+)+/", forEver],
])("a wrong pattern is told as it was written: %s", (text, fault) => {
  expect(() => parsePattern(text)).toThrow(`the pattern ${JSON.stringify(text)} ${fault}`);
});

test("so are those of streams and of services", () => {
  expect(() => readStreams("/^(a+)+$/")).toThrow(`the pattern "/^(a+)+$/" ${forEver}`);
  expect(() => fitter(regex("(a+)+"))).toThrow(`the pattern "(a+)+" ${forEver}`);
});
