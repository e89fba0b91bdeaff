import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { parseJson } from "../../src/document/json.ts";
import { parsePlan } from "../../src/plan/schema.ts";
import { artifact, image, indexOf, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry, type Ended, type TestRegistry } from "./support.ts";

// What --protect, --max-delete and --in-use keep, at every command that deletes: here those of `sync` with `prune`.
const stray = image("stray");
let mirror: TestRegistry;
let folder: string;
let file: string;
let used: string;
beforeEach(async () => {
  const source = await testRegistry();
  [mirror, folder] = [await testRegistry(), await temporaryDirectory()];
  [file, used] = [join(folder, "sync.yaml"), join(folder, "used.txt")];
  await putImage(source.store("app"), image("one"), "1.0");
  await putImage(mirror.store("app"), stray, "0.9");
  const mapping = { name: "app", from: `${source.host}/app`, to: `${mirror.host}/app`, prune: true };
  await writeFile(file, JSON.stringify({ version: 1, sync: [{ ...mapping, schedule: "0 0 1 1 *" }] }));
  await writeFile(used, `${mirror.host}/app:0.9\n`);
});

const sync = (words: readonly string[], signal?: AbortSignal): Promise<Ended> =>
  gantry(["sync", file, ...words], { env: { HOME: folder }, ...(signal && { signal }) });
const isThere = async (): Promise<boolean> => (await mirror.store("app").head("0.9")) !== undefined;

/** Watches until the first run is over. */
async function watched(words: readonly string[]): Promise<Ended> {
  const stop = new AbortController();
  const ended = sync(["--watch", "--cache", "none", ...words], stop.signal);
  while (!(await mirror.store("app").head("1.0"))) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  return ended;
}

const guards: readonly [string, () => readonly string[]][] = [
  ["--protect", () => ["--protect", "0.*"]],
  ["--in-use", () => ["--in-use", used]],
  ["--max-delete", () => ["--max-delete", "0"]],
];

test.each(guards)("sync --yes heeds %s", async (_, words) => {
  await sync(["--yes", ...words()]);
  expect(await isThere()).toBe(true);
  expect((await sync(["--yes"])).code).toBe(0);
  expect(await isThere()).toBe(false);
});

test.each(guards.slice(0, 2))(
  "a plan of sync keeps what %s says, and why: nothing of it is stale",
  async (_, words) => {
    const out = join(folder, "plan.json");
    expect((await sync([...words(), "--out", out])).code).toBe(0);
    const plan = parsePlan(parseJson(await readFile(out, "utf8"), out));
    expect(plan.steps.map(({ do: what }) => what)).toEqual(["copy"]);
    expect(plan.kept).toEqual([
      {
        at: `${mirror.host}/app:0.9`,
        digest: stray.manifest.descriptor.digest,
        why: expect.stringMatching(/^(protected by 0\.\*|in use by .*used\.txt)$/),
        rule: "app",
      },
    ]);
    expect((await sync([...words(), "--yes"])).code).toBe(0);
    expect((await gantry(["apply", out, "--yes"])).code).toBe(0);
    expect(await isThere()).toBe(true);
  },
);

test("what is in use is not even read where nothing would go", async () => {
  await mirror.store("app").deleteTag("0.9");
  expect((await sync(["--in-use", join(folder, "gone.txt")])).code).toBe(0);
});

test("a pattern that is none is told, whether anything is to be deleted or not", async () => {
  await sync(["--yes"]);
  for (const word of ["--dry-run", "--yes", "--watch"]) {
    const ended = await sync([word, "--protect", "/(/"]);
    expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("error: --protect: ") });
  }
});

test("--max-delete counts no parts, and no signatures", async () => {
  const [index, store] = [twoPlatforms("stray"), mirror.store("app")];
  await putImage(store, index, "0.9");
  const root = index.manifest.descriptor;
  const part = index.children[0]!.manifest.descriptor;
  for (const of of [root, part])
    await putImage(store, artifact(`signature of ${of.digest}`, of), `${of.digest.replace(":", "-")}.sig`);
  await putImage(store, indexOf([artifact("sbom", root)]), root.digest.replace(":", "-"));
  await mirror.store("app").deleteManifest(stray.manifest.descriptor.digest);
  expect((await sync(["--yes", "--max-delete", "0"])).code).toBe(5);
  expect((await sync(["--yes", "--max-delete", "1"])).code).toBe(0);
  expect(await isThere()).toBe(false);
});

test.each(guards.slice(0, 2))("sync --watch heeds %s", async (_, words) => {
  await watched(words());
  expect(await isThere()).toBe(true);
});

test("what sync --watch deletes is told, and can come back", async () => {
  const ended = await watched([]);
  expect(await isThere()).toBe(false);
  expect(ended.stderr).toMatch(/Z app: 1 image, .*, 1 deleted in /);
  const [, journal] = /^to take it back: gantry undo (.*)$/m.exec(ended.stderr)!;
  expect((await gantry(["undo", journal!, "--yes"], { env: { HOME: folder } })).code).toBe(0);
  expect(await isThere()).toBe(true);
});

test("in use that cannot be read stops all", async () => {
  expect((await sync(["--yes", "--in-use", join(folder, "gone.txt")])).code).toBe(2);
  expect(await isThere()).toBe(true);
});

test("undo heeds --in-use", async () => {
  const journal = join(folder, "sync.jsonl");
  await sync(["--yes", "--max-delete", "10", "--journal", journal]);
  await writeFile(used, `${mirror.host}/app:1.0\n`);
  const undo = (...words: readonly string[]): Promise<Ended> =>
    gantry(["undo", journal, "--yes", ...words], { env: { HOME: folder } });
  const ended = await undo("--in-use", used, "--format", "json");
  expect(ended.code).toBe(6);
  expect(ended.stdout).toContain(`in use by ${used}`);
  expect(await mirror.store("app").head("1.0")).toBeDefined();
});

test.each([["--out"], ["--journal"]])("%s does not go with --watch", async (option) => {
  const { code, stderr } = await sync(["--watch", option, join(folder, "x")]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--out and --journal are of one plan")]);
});
