import { expect, test } from "vitest";
import { lru } from "../../../src/server/storage/lru.ts";

test("what was used last stays", () => {
  const cache = lru<number>(2);
  cache.set("a", 1);
  cache.set("b", 2);
  expect(cache.get("a")).toBe(1);
  cache.set("c", 3);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([1, undefined, 3]);
  cache.delete("a");
  cache.delete("a");
  expect(cache.get("a")).toBeUndefined();
});

test("the weight of all stays below the limit, also when a value is replaced", () => {
  const cache = lru<string>(10, (text) => text.length);
  cache.set("a", "xxxx");
  cache.set("b", "yyyy");
  cache.set("a", "zzzzzz");
  expect([cache.get("a"), cache.get("b")]).toEqual(["zzzzzz", "yyyy"]);
  cache.set("c", "u");
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([undefined, "yyyy", "u"]);
  cache.set("d", "far too heavy");
  expect(cache.get("d")).toBeUndefined();
});
