import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatPlan, type Plan, type Step } from "../../src/plan/index.ts";
import { htpasswdAccess } from "../../src/server/index.ts";
import { hashSync } from "bcryptjs";
import { digestOf } from "../../src/oci/digest.ts";
import { image, putImage, type TestImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry, type CliOptions, type Ended, type TestRegistry } from "./support.ts";

const [one, two] = [image("one"), image("two")];
const digestIn = ({ manifest }: TestImage) => manifest.descriptor.digest;

/** A registry with two images, a plan that deletes one and tags the other, and a place for journals. */
async function scene(more: (host: string) => Partial<Plan> = () => ({})) {
  const [registry, folder] = [await testRegistry(), await temporaryDirectory()];
  await putImage(registry.store("app"), one, "old");
  await putImage(registry.store("app"), two, "new");
  const at = `${registry.host}/app`;
  const steps: readonly Step[] = [
    {
      id: "1",
      do: "delete manifest",
      at: `${at}@${digestIn(one)}`,
      digest: digestIn(one),
      tags: ["old"],
      why: "it is old",
    },
    { id: "2", do: "tag", at: `${at}:latest`, digest: digestIn(two), before: null, why: "it is the newest" },
  ];
  const kept = [{ at: `${at}:new`, digest: digestIn(two), why: "it is the newest" }];
  const plan: Plan = {
    version: 1,
    kind: "retain",
    made: "2026-11-20T14:05:00Z",
    steps,
    kept,
    notes: [],
    ...more(registry.host),
  };
  const file = join(folder, "plan.json");
  await writeFile(file, formatPlan(plan));
  const run = (words: readonly string[], options: CliOptions = {}): Promise<Ended> =>
    gantry(words, { ...options, env: { XDG_STATE_HOME: join(folder, "state"), ...options.env } });
  return { registry, folder, plan, file, at, run, journals: join(folder, "state", "gantry", "journals") };
}

const tagsOf = ({ store }: TestRegistry): Promise<readonly string[]> => Array.fromAsync(store("app").tags());

test("apply shows a plan and does nothing; with --yes it does it, and says how to take it back", async () => {
  const { registry, file, at, run, journals } = await scene();
  const shown = await run(["apply", file]);
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toContain("1 manifest goes, 1 tag is set; 1 stays\n");
  expect(await run(["apply", file, "--detailed-exitcode"])).toEqual({ ...shown, code: 7 });
  expect(await tagsOf(registry)).toEqual(["new", "old"]);

  const applied = await run(["apply", file, "--yes"]);
  const [journal] = await readdir(journals);
  expect(journal).toMatch(/^retain-20261120T140500Z-[0-9a-f]{12}\.jsonl$/);
  expect(applied).toMatchObject({ code: 0, stderr: `to take it back: gantry undo ${join(journals, journal!)}\n` });
  expect(applied.stdout).toContain(`${at}  1 manifest goes, 1 tag is set\n  done  delete manifest`);
  expect(applied.stdout).toContain("\n2 done\n");
  expect(await tagsOf(registry)).toEqual(["latest", "new"]);

  expect(await run(["apply", file, "--yes"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("2 done already"),
  });
  expect(await readdir(journals)).toEqual([journal]);
});

test("undo shows what it would do, and with --yes puts everything back; which can be undone", async () => {
  const { registry, folder, file, run } = await scene();
  const journal = join(folder, "journal");
  await run(["apply", file, "--yes", "--journal", journal]);
  expect(await run(["apply", journal])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      `${journal} is a journal, and no plan\n  hint  to take back what it tells: gantry undo`,
    ),
  });
  const shown = await run(["undo", journal, "--detailed-exitcode"]);
  expect(shown).toMatchObject({ code: 7, stderr: "" });
  expect(shown.stdout).toContain("1 manifest comes back, 1 tag goes\n");
  expect(await tagsOf(registry)).toEqual(["latest", "new"]);
  const undone = await run(["undo", journal, "--yes", "--journal", join(folder, "undo")]);
  expect(undone).toMatchObject({ code: 0, stderr: `to take it back: gantry undo ${join(folder, "undo")}\n` });
  expect(await tagsOf(registry)).toEqual(["new", "old"]);
  expect((await registry.store("app").head("old"))?.digest).toBe(digestIn(one));
  expect(await run(["undo", join(folder, "undo"), "--yes"])).toMatchObject({ code: 0 });
  expect(await tagsOf(registry)).toEqual(["latest", "new"]);
});

test("what could not be done ends with 6, and says which and why", async () => {
  const { registry, file, run } = await scene();
  await registry.store("app").putManifest(one.manifest, { tag: "precious" });
  const ended = await run(["apply", file, "--yes"]);
  expect(ended.code).toBe(6);
  expect(ended.stdout).toMatch(
    /stale +delete manifest +@sha256:\w{12} +it has the tag precious, which the plan does not know of\n/,
  );
  expect(ended.stdout).toContain("\n1 done, 1 stale\n");
  expect(ended.stderr).toContain("error: 1 of 2 steps was not done\n");
  expect(ended.stderr).toContain(
    "  hint   see above why; run it again to go on, or make a new plan where things have changed\n",
  );
});

test("an undo names what the registry has cleaned away", async () => {
  const { registry, folder, file, run } = await scene();
  const journal = join(folder, "journal");
  await run(["apply", file, "--yes", "--journal", journal]);
  registry.lose(one.blobs[1]!.descriptor.digest);
  const ended = await run(["undo", journal, "--yes"]);
  expect(ended.code).toBe(6);
  expect(ended.stdout).toContain("cannot come back: the registry does not have all of its content any more");
  expect(await tagsOf(registry)).toEqual(["new"]);
});

test.each([
  [["--max-delete", "0"], "the plan deletes 1 of 2 tags and images, and no more than 0 may go"],
  [["--max-delete", "49%"], "the plan deletes 1 of 2 tags and images, and no more than 49% may go"],
])("%s ends with 5 before the first step, and where it is only shown", async (words, message) => {
  const { registry, file, run, journals } = await scene();
  const ended = await run(["apply", file, "--yes", ...words]);
  expect(ended.code).toBe(5);
  expect(ended.stderr).toContain(`error: ${message}\n`);
  expect(await tagsOf(registry)).toEqual(["new", "old"]);
  expect(await readdir(journals)).toEqual([]);
  const shown = await run(["apply", file, "--detailed-exitcode", ...words]);
  expect(shown).toMatchObject({ code: 5, stderr: expect.stringContaining(`error: ${message}\n`) });
  expect(shown.stdout).toContain("1 manifest goes, 1 tag is set; 1 stays\n");
});

test.each(["old", "o*", "/o.d/", "app:old", "**/app:*", "**/app", digestIn(one)])(
  "--protect %s keeps it",
  async (pattern) => {
    const { registry, file, run } = await scene();
    const ended = await run(["apply", file, "--yes", "--protect", pattern]);
    expect([ended.code, ended.stdout]).toEqual([6, expect.stringContaining(`protected by ${pattern}\n`)]);
    expect(await tagsOf(registry)).toEqual(["latest", "new", "old"]);
  },
);

test.each(["ol", "web:old", "semver:>=1", digestIn(two)])("--protect %s is about something else", async (pattern) => {
  const { registry, file, run } = await scene();
  expect((await run(["apply", file, "--yes", "--protect", pattern])).code).toBe(0);
  expect(await tagsOf(registry)).toEqual(["latest", "new"]);
});

test("a pattern that is none is a mistake in the command line", async () => {
  const { file, run } = await scene();
  expect(await run(["apply", file, "--yes", "--protect", "/(/"])).toMatchObject({ code: 2, stdout: "" });
});

test("notes go to stderr, fit for a terminal, and the plan to stdout as JSON", async () => {
  const { file, run, plan } = await scene((host) => ({
    notes: [{ level: "warning", at: `${host}/web`, message: "it\u001B[31m was not read" }],
  }));
  const ended = await run(["apply", file, "--format", "json"]);
  expect(JSON.parse(ended.stdout)).toEqual(plan);
  expect(ended.stderr).toBe(`warning: ${plan.notes[0]!.at}: it\\u001b[31m was not read\n`);
  const applied = JSON.parse((await run(["apply", file, "--yes", "--format", "json"])).stdout) as Plan & {
    complete: boolean;
  };
  expect(applied).toMatchObject({
    ...plan,
    complete: true,
    steps: plan.steps.map((step) => ({ ...step, outcome: "done" })),
  });
});

test("a plan that left out what was refused is done in part, as it was when it was made", async () => {
  const notes = (host: string) => [{ level: "refused", at: `${host}/web`, message: "it cannot be read" }] as const;
  const { file, run } = await scene((host) => ({ notes: notes(host) }));
  const applied = await run(["apply", file, "--yes", "--format", "json"]);
  expect([applied.code, JSON.parse(applied.stdout)]).toEqual([6, expect.objectContaining({ complete: false })]);
  const empty = await scene((host) => ({ steps: [], kept: [], notes: notes(host) }));
  expect((await empty.run(["apply", empty.file, "--yes"])).code).toBe(5);
});

test.each([
  ["markdown", /^### Plan: retain\n/],
  ["tree", /^retain, made 2026-11-20T14:05:00Z: 1 manifest goes/],
  ["yaml", /^version: 1\nkind: retain\n/],
  ["ndjson", /^\{"version":1.*\}\n$/],
  ["{{range .steps}}{{.do}}\n{{end}}", /^delete manifest\ntag\n$/],
])("--format %s", async (format, text) => {
  const { file, run } = await scene();
  expect(await run(["apply", file, "--format", format])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(text),
  });
});

test("--kept names what stays", async () => {
  const { file, at, run } = await scene();
  expect((await run(["apply", file, "--kept"])).stdout).toContain(`${at}:new  it is the newest\n`);
});

test("what cannot be a plan is refused by place, whatever it is", async () => {
  const { folder, run } = await scene();
  const file = join(folder, "bad.json");
  await writeFile(
    file,
    '{\n  "version": 1,\n  "kind": "retain",\n  "made": "yesterday",\n  "steps": [], "kept": [], "notes": [], "extra": 1\n}\n',
  );
  const ended = await run(["apply", file]);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(`${file}:4:11: made: is no time`);
  expect(ended.stderr).toContain('"extra" is not known here');
  await writeFile(file, "{");
  expect(await run(["apply", file])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${file}:1:2: this is neither JSON nor YAML`),
  });
  expect(await run(["undo", file])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("is no journal: it has no whole line"),
  });
  expect(await run(["undo", join(folder, "none")])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no such file"),
  });
});

test("a plan on stdin, and one in YAML", async () => {
  const { file, run } = await scene();
  const text = await readFile(file, "utf8");
  expect((await run(["apply", "-"], { stdin: text })).stdout).toBe((await run(["apply", file])).stdout);
  const yaml = (await run(["apply", file, "--format", "yaml"])).stdout;
  expect((await run(["apply", "-"], { stdin: yaml })).stdout).toBe((await run(["apply", file])).stdout);
});

test("where no journal can be written, nothing is done", async () => {
  const { registry, folder, file, run } = await scene();
  await mkdir(join(folder, "taken"));
  const wrong = [
    [join(folder, "taken"), "it is a directory"],
    [join(file, "journal"), "a file is in its way"],
    [join(file, "below", "journal"), "a part of the path is a file, not a directory"],
    // A link, for its lock can be made beside it wherever one may write.
    [join(folder, "device"), "it is a device or a pipe, and a journal has to be a file"],
    ...(existsSync("/proc/self") ? [["/proc/gantry/journal", "there is no such file or directory"]] : []),
  ] as const;
  await symlink("/dev/null", join(folder, "device"));
  for (const [path, why] of wrong) {
    const ended = await run(["apply", file, "--yes", "--journal", path]);
    expect([ended.code, ended.stderr]).toEqual([
      2,
      expect.stringContaining(`cannot write the journal ${path}: ${why}`),
    ]);
  }
  expect(await tagsOf(registry)).toEqual(["new", "old"]);
});

test("a copy may read and write with different logins", async () => {
  const folder = await temporaryDirectory();
  const locked = async (user: string): Promise<TestRegistry> => {
    const path = join(folder, user);
    await writeFile(path, `${user}:${hashSync("secret", 4)}\n`);
    return testRegistry({ access: htpasswdAccess({ file: path }) });
  };
  const [from, to] = [await locked("reader"), await locked("writer")];
  const step: Step = {
    id: "1",
    do: "copy",
    from: `${from.host}/app:1@${digestIn(one)}`,
    at: `${to.host}/app:1`,
    digest: digestIn(one),
    before: null,
    why: "new",
  };
  const plan: Plan = { version: 1, kind: "sync", made: "2026-11-20T14:05:00Z", steps: [step], kept: [], notes: [] };
  const credentials = ["--src-creds", "reader:secret", "--dest-creds", "writer:secret"];
  const layout = `oci:${join(folder, "images")}`;
  await putImage((await import("../../src/store/index.ts")).layoutStore(layout.slice(4)), one, "1");
  await gantry(["copy", `${layout}:1`, `${from.host}/app:1`, "--dest-creds", "reader:secret"]);
  expect((await gantry(["apply", "-", "--yes"], { stdin: formatPlan(plan) })).code).toBe(6);
  expect(await gantry(["apply", "-", "--yes", ...credentials], { stdin: formatPlan(plan) })).toMatchObject({ code: 0 });
  expect((await gantry(["digest", `${to.host}/app:1`, "--creds", "writer:secret"])).stdout).toContain(digestIn(one));
});

test("a large plan is read and shown in little time", async () => {
  const { run } = await scene();
  const steps = Array.from({ length: 20_000 }, (_, i): Step => {
    const digest = digestOf(Buffer.from(`${i}`));
    return { id: `${i}`, do: "delete manifest", at: `a.example/app@${digest}`, digest, tags: [], why: "old" };
  });
  const plan: Plan = { version: 1, kind: "retain", made: "2026-11-20T14:05:00Z", steps, kept: [], notes: [] };
  const began = performance.now();
  const ended = await run(["apply", "-"], { stdin: formatPlan(plan) });
  expect(ended.stdout).toContain("20000 manifests go\n");
  expect(performance.now() - began).toBeLessThan(5000);
});
