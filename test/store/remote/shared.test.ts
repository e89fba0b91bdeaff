import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { remoteShared } from "../../../src/store/remote/shared.ts";

test("what goes under one key goes one after the other, also after a failure", async () => {
  const shared = remoteShared("registry.example");
  const order: string[] = [];
  const run = (name: string, fail = false) =>
    shared.exclusive("key", async () => {
      order.push(`${name} in`);
      await setImmediate();
      order.push(`${name} out`);
      if (fail) throw new Error(name);
    });
  const results = await Promise.allSettled([
    run("a"),
    run("b", true),
    run("c"),
    shared.exclusive("other", async () => order.push("other")),
  ]);
  expect(order.filter((line) => line !== "other")).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
  expect(order.indexOf("other")).toBeLessThan(order.indexOf("b in"));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
});

test("known blobs are bounded, and the latest place comes first", () => {
  const { blobs } = remoteShared("registry.example");
  const digest = digestOf("blob");
  for (const name of ["a", "b", "c", "d", "e"]) blobs.add(digest, name);
  expect(blobs.mountable(digest, "e")).toBe("d");
  blobs.remove(digest, "d");
  expect(blobs.mountable(digest, "e")).toBe("c");
  for (let i = 0; i < 20_000; i++) blobs.add(digestOf(`filler ${i}`), "a");
  expect(blobs.mountable(digest, "x")).toBeUndefined();
});

test("a host that mounts again is offered blobs again", () => {
  const { blobs } = remoteShared("registry.example");
  const digest = digestOf("blob");
  blobs.add(digest, "a");
  for (let i = 0; i < 3; i++) blobs.mounted(false);
  expect(blobs.mountable(digest, "b")).toBeUndefined();
  blobs.mounted(true);
  expect(blobs.mountable(digest, "b")).toBe("a");
});
