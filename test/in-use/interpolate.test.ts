import { expect, test } from "vitest";
import { interpolate } from "../../src/in-use/interpolate.ts";

const values = { TAG: "1.2", EMPTY: "", HOST: "registry.example" };

// https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
test.each([
  ["app:$TAG", "app:1.2"],
  ["$HOST/app:${TAG}", "registry.example/app:1.2"],
  ["app:${NONE:-3}", "app:3"],
  ["app:${EMPTY:-3}", "app:3"],
  ["app:${EMPTY-3}x", "app:x"],
  ["app:${TAG:-3}", "app:1.2"],
  ["app:${NONE-3}", "app:3"],
  ["app:${TAG:?set it}", "app:1.2"],
  ["app${TAG:+:new}", "app:new"],
  ["app${EMPTY:+:new}", "app"],
  ["app${EMPTY+:new}", "app:new"],
  ["app${NONE+:new}", "app"],
  ["app:${NONE:-${ALSO:-${TAG}}}", "app:1.2"],
  ["app:${TAG:-${NONE}}", "app:1.2"],
  ["app:${TAG:-${NONE:?why}}", "app:1.2"],
  ["$$TAG $${TAG}", "$TAG ${TAG}"],
  ["a}b", "a}b"],
])("%s is %s", (text, result) => {
  expect(interpolate(text, values)).toBe(result);
});

test.each([
  ["app:$NONE", "the variable NONE is not set"],
  ["app:${NONE}", "the variable NONE is not set"],
  ["app:${NONE:?say which}", "the variable NONE is not set: say which"],
  ["app:${EMPTY:?say which $TAG}", "the variable EMPTY is not set: say which 1.2"],
  ["app:${NONE:-${ALSO}}", "the variable ALSO is not set"],
  ["app:${TAG", '${TAG without } in "app:${TAG"'],
  ["app:${TAG:-x", '${ without } in "app:${TAG:-x"'],
  ["app:${TAG!x}", '${TAG without } in "app:${TAG!x}"'],
  ["app:$1", '$ without a variable in "app:$1"'],
])("%s: %s", (text, message) => {
  expect(() => interpolate(text, values)).toThrow(new TypeError(message));
});
