import { expect, test } from "vitest";
import { exitCodes, exitOf } from "../../src/cli/exit-codes.ts";
import type { Access } from "../../src/server/index.ts";
import { image, putImage } from "../support/images.ts";
import { gantry, testRegistry } from "./support.ts";

test("the numbers are the promised ones", () => {
  expect(Object.values(exitCodes).map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 130]);
});

test.each([
  ["UNKNOWN", "failed"],
  ["NETWORK", "failed"],
  ["CORRUPT", "failed"],
  ["UNSUPPORTED", "failed"],
  ["INVALID", "usage"],
  ["BLOB_UNKNOWN", "notFound"],
  ["MANIFEST_UNKNOWN", "notFound"],
  ["NAME_UNKNOWN", "notFound"],
  ["UNAUTHORIZED", "denied"],
  ["DENIED", "denied"],
  ["REFUSED", "refused"],
  ["UNVERIFIED", "refused"],
  ["PARTIAL", "partly"],
  ["ABORTED", "interrupted"],
] as const)("%s ends as %s", (code, name) => {
  expect(exitOf(code)).toBe(name);
});

/** Lets everybody read, and nobody write. */
const readers: Access = {
  open: true,
  authorize: (_, { verbs }) =>
    verbs.some((verb) => verb === "push" || verb === "delete")
      ? { allow: false, reply: { status: 403, headers: {}, body: Buffer.from('{"errors":[{"code":"DENIED"}]}') } }
      : { allow: true },
};

const cases: Readonly<Record<string, (a: string, readOnly: string) => Promise<readonly string[]> | readonly string[]>> =
  {
    "0": (a) => ["digest", `${a}/app:1`],
    "1": () => ["digest", "127.0.0.1:1/app:1", "--retries", "0"],
    "2": () => ["digest"],
    "3": (a) => ["digest", `${a}/app:none`],
    "4": (a, b) => ["copy", `${a}/app:1`, `${b}/app`],
    "6": (a, b) => ["copy", `${a}/app:1`, `${a}/other`, `${b}/app`],
    "7": (a) => ["copy", "--dry-run", "--detailed-exitcode", `${a}/app:1`, `${a}/fresh`],
  };

test.each(Object.keys(cases))("%s", async (code) => {
  const [a, b] = [await testRegistry(), await testRegistry({ access: readers })];
  await putImage(a.store("app"), image("one"), "1");
  const ended = await gantry(await cases[code]!(a.host, b.host));
  expect(ended.code, ended.stderr).toBe(Number(code));
});

test("5: bytes that are not what their digest promises", async () => {
  const registry = await testRegistry();
  const { blobs } = image("one");
  await putImage(registry.store("app"), image("one"), "1");
  registry.damage(blobs[1]!.descriptor.digest);
  const ended = await gantry(["blob", "get", `${registry.host}/app@${blobs[1]!.descriptor.digest}`, "--retries", "0"]);
  expect(ended.code, ended.stderr).toBe(5);
});

test("130: a signal that fires while a command works", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("one"), "1");
  const stop = new AbortController();
  stop.abort();
  const ended = await gantry(["copy", `${host}/app:1`, `${host}/other`], { signal: stop.signal });
  expect(ended).toMatchObject({
    code: 130,
    stderr: "error: interrupted\n  hint  run it again: it goes on from there\n",
  });
});
