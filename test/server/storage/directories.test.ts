import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeDirectory } from "../../../src/server/storage/directories.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

test("a directory is made from a relative path, with those above it", async () => {
  const [work, before] = [await temporaryDirectory(), process.cwd()];
  process.chdir(work);
  onTestFinished(() => process.chdir(before));
  await makeDirectory("a/b");
  await makeDirectory("a/b");
  expect((await stat(join(work, "a", "b"))).isDirectory()).toBe(true);
});
