import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { directorySyncs, makeDirectory } from "../../../src/server/storage/directories.ts";
import { temporaryDirectory } from "./storages.ts";

test("a directory is made with those above it, also by a relative path, also twice", async () => {
  const root = await temporaryDirectory();
  for (const path of [join(root, "a/b/c"), relative(process.cwd(), join(root, "d/e")), join(root, "a/b/c"), "/"]) {
    await makeDirectory(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  }
});

test("what is in the way of a directory is an error", async () => {
  const root = await temporaryDirectory();
  await writeFile(join(root, "file"), "");
  await expect(makeDirectory(join(root, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

test("many syncs at once all end, and one that failed may be tried again", async () => {
  const root = await temporaryDirectory();
  const syncs = directorySyncs();
  await Promise.all(Array.from({ length: 50 }, () => syncs.sync(root)));
  const later = join(root, "later");
  await expect(syncs.sync(later)).rejects.toMatchObject({ code: "ENOENT" });
  await mkdir(later);
  await syncs.sync(later);
  await syncs.close();
  await rm(later, { recursive: true });
});
