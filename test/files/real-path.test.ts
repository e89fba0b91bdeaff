import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { realPath } from "../../src/files/real-path.ts";
import { temporaryDirectory } from "../support/temporary.ts";

test.each([
  ["folder/file", "folder/file"],
  ["folder/../folder/./file", "folder/file"],
  ["to-file", "folder/file"],
  ["to-folder/file", "folder/file"],
  ["to-folder/new/file", "folder/new/file"],
  ["absent", "absent"],
  ["to-absent", "folder/absent"],
  ["to-to-absent", "folder/absent"],
  ["to-absent/deep/file", "folder/absent/deep/file"],
  ["folder/file/below", "folder/file/below"],
  ["deep/../file", "folder/file"],
  ["loop", "loop"],
  ["loop/file", "loop/file"],
])("%s is %s, in whole and relative spelling", async (path, real) => {
  const folder = realPath(await temporaryDirectory());
  await mkdir(join(folder, "folder", "deep"), { recursive: true });
  await writeFile(join(folder, "folder", "file"), "");
  const links = {
    "to-file": "folder/file",
    "to-folder": join(folder, "folder"),
    "to-absent": "to-folder/absent",
    "to-to-absent": "to-absent",
    deep: "folder/deep",
    loop: "loop",
  };
  for (const [name, to] of Object.entries(links)) await symlink(to, join(folder, name));
  expect(realPath(`${folder}/${path}`)).toBe(join(folder, real));
  expect(realPath(`${relative(".", folder)}/${path}`)).toBe(join(folder, real));
});
