import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { inOrder } from "../../src/provider/in-order.ts";

test("results come in the items' order, whichever is done first", async () => {
  const done = Promise.withResolvers<void>();
  const results = inOrder([1, 2, 3], 3, async (n) => {
    if (n === 1) await done.promise;
    else done.resolve();
    return n * 10;
  });
  expect(await Array.fromAsync(results)).toEqual([10, 20, 30]);
});

test("what fails while an earlier item is under way fails in its turn", async () => {
  const slow = Promise.withResolvers<string>();
  const results = inOrder(["slow", "broken"], 2, async (item) => {
    if (item === "broken") throw new Error("broken");
    return slow.promise;
  });
  const first = results.next();
  await setImmediate();
  slow.resolve("fine");
  expect((await first).value).toBe("fine");
  await expect(results.next()).rejects.toThrow("broken");
});
