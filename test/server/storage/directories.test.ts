import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { makeDirectory } from "../../../src/server/storage/directories.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

test("a directory is made from a relative path, with those above it", async () => {
  const work = await temporaryDirectory();
  const path = relative(process.cwd(), join(work, "a", "b", "c"));
  await makeDirectory(path);
  await makeDirectory(path);
  expect((await stat(join(work, "a", "b", "c"))).isDirectory()).toBe(true);
});
