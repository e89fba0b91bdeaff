import { existsSync } from "node:fs";
import { mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDirectories } from "../../src/files/make-directories.ts";
import { temporaryDirectory } from "../support/temporary.ts";

test("what is not there is made, and the topmost of it told", async () => {
  const folder = await temporaryDirectory();
  expect(await makeDirectories(join(folder, "a", "b", "c"), 0o700)).toBe(join(folder, "a"));
  expect((await stat(join(folder, "a", "b", "c"))).mode & 0o777).toBe(0o700);
  expect(await makeDirectories(join(folder, "a", "b", "c"))).toBeUndefined();
  expect(await makeDirectories(join(folder, "a", "b", "d"))).toBe(join(folder, "a", "b", "d"));
  await symlink(join(folder, "a"), join(folder, "link"));
  expect(await makeDirectories(join(folder, "link"))).toBeUndefined();
  expect(await makeDirectories("/")).toBeUndefined();
});

test("many that make it at the same time all find it made", async () => {
  const path = join(await temporaryDirectory(), "a", "b", "c");
  await Promise.all(Array.from({ length: 20 }, () => makeDirectories(path)));
  expect((await stat(path)).isDirectory()).toBe(true);
});

test("a file in the way is told", async () => {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, "file"), "");
  await mkdir(join(folder, "sub"));
  await symlink(join(folder, "gone"), join(folder, "sub", "link"));
  await expect(makeDirectories(join(folder, "file"))).rejects.toThrow("EEXIST");
  await expect(makeDirectories(join(folder, "file", "a", "b"))).rejects.toThrow("ENOTDIR");
  await expect(makeDirectories(join(folder, "sub", "link"))).rejects.toThrow("EEXIST");
});

test.skipIf(!existsSync("/proc/self"))("where none can be made, it ends", async () => {
  await expect(makeDirectories("/proc/gantry/a")).rejects.toThrow("ENOENT");
});
