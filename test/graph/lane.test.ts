import { expect, test } from "vitest";
import { lane } from "../../src/graph/lane.ts";
import { digestOf } from "../../src/oci/digest.ts";

const blob = digestOf(Buffer.from("blob"));
const { signal } = new AbortController();
const never = (): never => {
  throw new Error("nobody is ahead");
};

test("the first goes ahead, the others wait for it, and who comes later does not wait", async () => {
  const queue = lane();
  const log: string[] = [];
  const first = Promise.withResolvers<string>();
  const one = queue.run(blob, signal, () => first.promise, never);
  const rest = ["two", "three"].map((name) =>
    queue.run(
      blob,
      signal,
      async () => log.push(name),
      () => log.push(`${name} waits`),
    ),
  );
  await Promise.resolve();
  expect(log).toEqual(["two waits", "three waits"]);
  first.resolve("one");
  expect(await one).toBe("one");
  await Promise.all(rest);
  expect(log.slice(2).toSorted()).toEqual(["three", "two"]);
  expect(await queue.run(blob, signal, async () => "four", never)).toBe("four");
});

test("where the first fails, the next goes ahead; its error is its own", async () => {
  const queue = lane();
  const first = Promise.withResolvers<string>();
  const one = queue.run(blob, signal, () => first.promise, never);
  let waits = 0;
  const second = Promise.withResolvers<string>();
  const two = queue.run(
    blob,
    signal,
    () => second.promise,
    () => waits++,
  );
  const three = queue.run(
    blob,
    signal,
    async () => "three",
    () => waits++,
  );
  first.reject(new Error("one failed"));
  await expect(one).rejects.toThrow("one failed");
  await new Promise(setImmediate);
  expect(waits).toBe(3);
  second.resolve("two");
  expect([await two, await three]).toEqual(["two", "three"]);
});

test("who is stopped waits no longer, and different blobs do not wait for one another", async () => {
  const queue = lane();
  const first = Promise.withResolvers<void>();
  const one = queue.run(blob, signal, () => first.promise, never);
  const stop = new AbortController();
  const two = queue.run(
    blob,
    stop.signal,
    async () => {},
    () => stop.abort(),
  );
  await expect(two).rejects.toMatchObject({ code: "ABORTED" });
  await queue.run(digestOf(Buffer.from("other")), signal, async () => {}, never);
  first.resolve();
  await one;
});
