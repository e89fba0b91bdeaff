import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";

const subject = join(import.meta.dirname, "../../src/cli/code-cache.ts");

/** Two modules, and a run of them that tells what it printed and what the cache then holds. */
async function program() {
  const folder = await temporaryDirectory();
  const cache = join(folder, "cache");
  await mkdir(join(folder, "chunks"));
  const write = (name: string, code: string): Promise<void> =>
    writeFile(join(folder, name), `(function (exports, require, $import, __filename, __dirname) {${code}\n})`);
  await write(
    "entry.cjs",
    'exports.say = async () => require("./chunks/words.cjs").words(await $import("node:path"));',
  );
  await write(
    "chunks/words.cjs",
    'exports.words = ({ basename }) => require("node:path").join("a", "..", basename(__filename));',
  );
  const main = `import { requireCached } from ${JSON.stringify(subject)};
    if (process.env.WINDOWS) delete process.getuid;
    if (process.env.LATER) Date.now = () => new Date().getTime() + 31 * 86_400_000;
    process.stdout.write(await requireCached(${JSON.stringify(join(folder, "entry.cjs"))}, "test").say());
    process.exitCode = Number(process.env.CODE ?? 0);`;
  const run = (env: Readonly<Record<string, string>> = {}) => {
    const args = ["--input-type=module", "--disable-warning=ExperimentalWarning", "--eval", main];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      env: { PATH: "", NODE_COMPILE_CACHE: cache, ...env },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  const kept = async (): Promise<string[]> => {
    const names = await readdir(cache).catch(() => []);
    return names.filter((name) => name.startsWith("test-")).map((name) => join(cache, name));
  };
  return { folder, write, cache, run, kept };
}

const right = { status: 0, stdout: "words.cjs", stderr: "" };

test("a command's code is kept when it has ended, and read by the next", async () => {
  const { run, kept } = await program();
  expect(run({ CODE: "2" })).toEqual({ ...right, status: 2 });
  expect(await kept()).toEqual([]);
  expect(run()).toEqual(right);
  const [file = "", ...others] = await kept();
  expect(others).toEqual([]);
  const { ino, mode } = await stat(file);
  expect(mode & 0o777).toBe(0o600);
  expect(run()).toEqual(right);
  // Whoever had found anything missing would have written a new one.
  expect((await stat(file)).ino).toBe(ino);
  // After a day it takes in what other runs of the command needed.
  await utimes(file, 0, Date.now() / 1000 - 25 * 3600);
  expect(run()).toEqual(right);
  expect((await stat(file)).ino).not.toBe(ino);
});

test("what a run that failed kept is replaced by one that does not fail", async () => {
  const { run, kept } = await program();
  const inode = async (): Promise<number> => (await stat((await kept())[0]!)).ino;
  run({ CODE: "1" });
  const failed = await inode();
  run({ CODE: "1" });
  expect(await inode()).toBe(failed);
  run();
  const whole = await inode();
  expect(whole).not.toBe(failed);
  run();
  run({ CODE: "1" });
  expect(await inode()).toBe(whole);
});

test("what nobody has used for a month is removed with the next that is written, and nothing else", async () => {
  const { cache, run, kept } = await program();
  run();
  const [file = ""] = await kept();
  const others = ["old-v22.1.0-x64-1a", "old-v22.1.0-x64-1a.123", "old-v22.1.0-x64", "v22.1.0-x64-1a"];
  for (const name of others) await writeFile(join(cache, name), "");
  const { ino } = await stat(file);
  await utimes(file, 0, Date.now() / 1000 - 25 * 3600);
  run();
  expect((await stat(file)).ino).not.toBe(ino);
  expect(await readdir(cache)).toEqual(expect.arrayContaining(others));
  expect(run({ LATER: "1" })).toEqual(right);
  const left = await readdir(cache);
  expect(left).not.toContain(others[0]);
  expect(left).not.toContain(others[1]);
  expect(left).toEqual(expect.arrayContaining(others.slice(2)));
});

test("code of a file that has changed is not used", async () => {
  const { write, run, kept } = await program();
  run();
  const [file = ""] = await kept();
  const { ino } = await stat(file);
  await write("chunks/words.cjs", 'exports.words = () => require("node:path").dirname("/a/" + 1);');
  expect(run()).toEqual({ ...right, stdout: "/a" });
  expect((await stat(file)).ino).not.toBe(ino);
});

test.each([
  ["empty", async (file: string) => truncate(file)],
  ["cut short", async (file: string) => truncate(file, (await stat(file)).size - 1)],
  ["of other bytes", async (file: string) => writeFile(file, "no\nsuch thing")],
  [
    "of code that V8 does not take",
    async (file: string) => {
      const bytes = await readFile(file);
      const head = bytes.indexOf("\n") + 1;
      await writeFile(file, Buffer.concat([bytes.subarray(0, head), Buffer.alloc(bytes.length - head, 7)]));
    },
  ],
])("a cache that is %s is no harm, and made anew", async (_, damage) => {
  const { run, kept } = await program();
  run();
  const [file = ""] = await kept();
  await damage(file);
  const { ino: damaged } = await stat(file);
  expect(run()).toEqual(right);
  const { ino: mended } = await stat(file);
  expect(mended).not.toBe(damaged);
  expect(run()).toEqual(right);
  expect((await stat(file)).ino).toBe(mended);
});

test("nothing is read from or written to where others can write, or where it is not wanted", async () => {
  const { cache, run, kept } = await program();
  await mkdir(cache);
  await chmod(cache, 0o777);
  expect(run()).toEqual(right);
  expect(await kept()).toEqual([]);
  await chmod(cache, 0o700);
  expect(run({ NODE_DISABLE_COMPILE_CACHE: "1" })).toEqual(right);
  expect(await kept()).toEqual([]);
  expect(run({ NODE_COMPILE_CACHE: "/dev/null/none" })).toEqual(right);
});

test("where directories tell nothing of their owners, as on Windows, it is in what is this user's alone, or nowhere", async () => {
  const { folder, run } = await program();
  const [shared, own] = [join(folder, "shared"), join(folder, "own")];
  const windows = { WINDOWS: "1", NODE_COMPILE_CACHE: "", TMPDIR: shared, TEMP: shared, TMP: shared };
  await mkdir(shared);
  expect(run(windows)).toEqual(right);
  expect(run({ ...windows, LOCALAPPDATA: own })).toEqual(right);
  expect(await readdir(shared)).toEqual([]);
  expect(await readdir(join(own, "gantry-code"))).toContainEqual(expect.stringMatching(/^test-/));
});
