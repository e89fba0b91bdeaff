import { readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { image, putImage } from "../support/images.ts";
import { damagedArchive } from "../support/damaged-archive.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry, type Ended, type TestRegistry } from "./support.ts";

let source: TestRegistry;
let mirror: TestRegistry;
let folder: string;
let file: string;
beforeEach(async () => {
  [source, mirror, folder] = [await testRegistry(), await testRegistry(), await temporaryDirectory()];
  file = join(folder, "sync.yaml");
  await putImage(source.store("app"), image("one"), "1.0");
  await putImage(source.store("app"), image("two"), "dev");
  await write(`
version: 1
sync:
  - { name: app, from: "\${SOURCE}/app", to: "\${MIRROR}/app", tags: [{ include: ["1.*"] }] }
`);
});

const write = (text: string): Promise<void> => writeFile(file, text);
const sync = (...words: readonly string[]): Promise<Ended> =>
  gantry(["sync", file, ...words], { env: { HOME: folder, SOURCE: source.host, MIRROR: mirror.host } });
const tagsOf = async (): Promise<readonly string[]> => {
  const text: string[] = [];
  for await (const tag of mirror.store("app").tags()) text.push(tag);
  return text;
};

test("plans and stops; with --yes acts, and remembers it", async () => {
  const planned = await sync("--detailed-exitcode");
  expect([planned.code, planned.stderr]).toEqual([7, ""]);
  expect(planned.stdout).toMatch(/ copy +:1\.0 +the tag 1\.0 is not there, from /);
  await expect(tagsOf()).rejects.toThrow();
  expect((await sync("--yes")).code).toBe(0);
  expect(await tagsOf()).toEqual(["1.0"]);
  const again = await sync("--detailed-exitcode", "--format", "json");
  expect(again.code).toBe(0);
  expect(JSON.parse(again.stdout).kept[0].why).toBe("it was found there whole not long ago");
  expect(JSON.parse((await sync("--recheck", "--format", "json")).stdout).kept[0].why).toBe("it is there");
  expect(JSON.parse((await sync("--cache", "none", "--format", "json")).stdout).kept[0].why).toBe("it is there");
});

test("a saved plan is applied later", async () => {
  const out = join(folder, "plan.json");
  expect((await sync("--out", out, "--dry-run")).code).toBe(0);
  expect((await gantry(["apply", out, "--yes"], { env: { HOME: folder } })).code).toBe(0);
  expect(await tagsOf()).toEqual(["1.0"]);
});

test("--explain says why a tag is not selected", async () => {
  expect((await sync("--explain")).stderr).toBe(
    `info: ${source.host}/app:dev: app: not selected: no pattern includes it\n`,
  );
});

describe("how it ends", () => {
  const broken = (more: string): Promise<void> =>
    write(`
version: 1
sync:
  - { name: none, from: ${source.host}/none, to: ${mirror.host}/none }
${more}`);

  test("partly, where something could not be read", async () => {
    await broken(`  - { name: app, from: ${source.host}/app, to: ${mirror.host}/app }`);
    const planned = await sync();
    expect(planned.code).toBe(6);
    expect(planned.stderr).toContain(`refused: ${source.host}/none: none: it cannot be read: `);
    const reports = ["json", "md", "xml"].map((ending) => join(folder, `report.${ending}`));
    const ended = await sync("--yes", ...reports.flatMap((path) => ["--report", path]));
    expect([ended.code, await tagsOf()]).toEqual([6, ["1.0", "dev"]]);
    expect(ended.stderr).toContain("of 3 things, 1 could not be brought in sync");
    const [json, markdown, xml] = await Promise.all(reports.map((path) => readFile(path, "utf8")));
    expect(JSON.parse(json!)).toMatchObject({ complete: false, counts: { done: 2, refused: 1 } });
    expect(markdown).toContain("2 done, 1 refused.");
    expect(xml).toContain('<testsuites name="gantry sync" tests="3" failures="1" skipped="0">');
    expect(xml).toContain(`<testcase classname="app" name="copy ${mirror.host}/app:1.0"/>`);
  });

  test("partly, where one of several archives cannot be written in the end", async () => {
    const [good, bad] = [`${folder}/good.tar`, `${folder}/bad.tar`];
    await damagedArchive(bad);
    const to = `["oci-archive:${bad}", "oci-archive:${good}"]`;
    await write(`version: 1\nsync:\n  - { name: app, from: ${source.host}/app, to: ${to} }\n`);
    const report = join(folder, "report.json");
    const { code, stdout } = await sync("--yes", "--report", report);
    expect([code, JSON.parse(await readFile(report, "utf8"))]).toMatchObject([6, { counts: { done: 2, failed: 2 } }]);
    expect(stdout).toContain("stays as it was");
    expect(await must("ls", `oci-archive:${good}`)).toBe("1.0\ndev\n");
  });

  test("failed, where nothing worked", async () => {
    await broken("");
    expect((await sync()).code).toBe(1);
  });

  test("well, where nothing is selected, and says so", async () => {
    const tags = "tags: [{ include: [none] }]";
    await write(`version: 1\nsync:\n  - { from: ${source.host}/app, to: ${mirror.host}/x, ${tags} }\n`);
    const { code, stderr } = await sync();
    expect([code, stderr]).toEqual([0, `warning: ${source.host}/app: sync[0]: it has no tag that is selected\n`]);
  });

  test("badly, where a local source is not there", async () => {
    await write(`version: 1\nsync:\n  - { from: "oci:${folder}/nowhere", to: ${mirror.host}/x }\n`);
    const { code, stderr } = await sync();
    expect([code, stderr]).toEqual([1, expect.stringContaining("there is no such file or directory")]);
  });

  test.each([
    [["--only", "nothing"], 'has no mapping "nothing"'],
    [["--yes", "--dry-run"], "one of them is too many"],
    [["--report", "report.txt"], "ends neither in .json"],
  ])("usage: %j", async (words, message) => {
    const { code, stderr } = await sync(...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test("a variable that is not set is named where it stands", async () => {
    await write('version: 1\nsync:\n  - { from: "${NOWHERE}/app", to: mirror.example/app }\n');
    const { code, stderr } = await sync();
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("sync.yaml:3:13: sync[0].from: the variable NOWHERE is not set"),
    ]);
  });
});

test("a cache may be behind a link, which stays", async () => {
  const link = join(folder, "link.json");
  await symlink("cache.json", link);
  for (const tag of ["1.1", "1.2"]) {
    await putImage(source.store("app"), image(tag), tag);
    expect((await sync("--yes", "--cache", link)).code).toBe(0);
    expect(await readlink(link)).toBe("cache.json");
  }
  expect(await readFile(join(folder, "cache.json"), "utf8")).toContain(":1.2");
});

describe("a cache that cannot be used", () => {
  test.each(["{", "{}", '{"gantry":"sync cache 2","images":{"a":1}}'])("%s is told, and no more", async (text) => {
    const cache = join(folder, "cache.json");
    await writeFile(cache, text);
    const { code, stderr } = await sync("--yes", "--cache", cache);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`warning: the cache ${cache} is not used: it is damaged`),
    ]);
    expect((await sync("--cache", cache)).stderr).toBe("");
    expect((await stat(cache)).mode & 0o777).toBe(0o600);
  });

  test("one of an earlier version is looked past in silence", async () => {
    const cache = join(folder, "cache.json");
    await writeFile(cache, '{"gantry":"sync cache 1","images":{"a":["sha256:0","x",1]}}');
    expect(await sync("--yes", "--cache", cache)).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining("warning"),
    });
    expect(await readFile(cache, "utf8")).toContain("sync cache 2");
  });

  test("where it cannot be written", async () => {
    const { code, stderr } = await sync("--yes", "--cache", join(file, "cache.json"));
    expect([code, stderr]).toEqual([0, expect.stringContaining("cannot be written: ")]);
  });
});
