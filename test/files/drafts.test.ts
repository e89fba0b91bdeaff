import { chmod, lstat, mkdir, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { clearDrafts, draftPath } from "../../src/files/drafts.ts";
import { streamOf } from "../../src/oci/stream.ts";
import { directory } from "../../src/store/files/directory.ts";
import { writeArchiveFile } from "../../src/store/archive/archive-writer.ts";
import { writeWhole } from "../../src/cli/files.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const hours = (count: number): Date => new Date(Date.now() - count * 3600 * 1000);

async function leave(path: string, age: number): Promise<string> {
  await writeFile(path, "half");
  await utimes(path, hours(age), hours(age));
  return basename(path);
}

test("what was left a day ago goes; what may be being written, and what is no draft of that file, stays", async () => {
  const folder = await temporaryDirectory();
  await leave(draftPath(folder, "app.tar"), 25);
  const stay = [
    await leave(draftPath(folder, "app.tar"), 23),
    await leave(draftPath(folder, "app"), 25),
    await leave(draftPath(folder), 25),
    await leave(join(folder, ".app.tar.gantry-notes"), 25),
    await leave(join(folder, "app.tar"), 25),
  ];
  await clearDrafts(folder, "app.tar");
  expect(await readdir(folder)).toEqual(stay.toSorted());
});

test("what cannot be removed stops nothing", async () => {
  const folder = await temporaryDirectory();
  const path = draftPath(folder, "app.tar");
  await mkdir(path);
  await utimes(path, hours(25), hours(25));
  await clearDrafts(folder, "app.tar");
  expect(await readdir(folder)).toEqual([basename(path)]);
  await clearDrafts(join(folder, "none"));
});

const ways: readonly { way: string; write: (path: string) => Promise<void>; of?: (path: string) => string }[] = [
  {
    way: "an archive",
    async write(path) {
      const writer = await writeArchiveFile(path);
      await writer.finish([]);
      await writer.close();
    },
  },
  {
    way: "a file of the command line",
    write: (path) => writeWhole(path, streamOf(Buffer.from("whole")), new AbortController().signal),
  },
  {
    way: "a directory's file",
    write: (path) => directory(dirname(path)).put(basename(path), streamOf(Buffer.from("whole"))),
    of: () => "",
  },
];

test.each(ways)("writing $way clears what killed runs left of it", async ({ write, of = basename }) => {
  const folder = await temporaryDirectory();
  const path = join(folder, "app.tar");
  await leave(draftPath(folder, of(path)), 25);
  await write(path);
  expect(await readdir(folder)).toEqual(["app.tar"]);
});

test.each(ways.slice(0, 2))("$way has the mode of what was there, whatever the mask", async ({ write }) => {
  const path = join(await temporaryDirectory(), "app.tar");
  for (const mode of [0o600, 0o666, 0o440]) {
    await writeFile(path, "");
    await chmod(path, mode);
    await write(path);
    expect((await stat(path)).mode & 0o777).toBe(mode);
    await rm(path);
  }
});

test.each(ways.slice(0, 2))(
  "$way behind a link clears its folder, not the link's, and the link stays",
  async ({ write }) => {
    const [folder, links] = [await temporaryDirectory(), await temporaryDirectory()];
    await writeFile(join(folder, "app.tar"), "");
    await symlink(join(folder, "app.tar"), join(links, "link.tar"));
    await leave(draftPath(folder, "app.tar"), 25);
    await write(join(links, "link.tar"));
    expect(await readdir(folder)).toEqual(["app.tar"]);
    expect((await lstat(join(links, "link.tar"))).isSymbolicLink()).toBe(true);
  },
);
