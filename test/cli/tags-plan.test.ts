import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry } from "./support.ts";

/** Runs in a directory of its own, which is no git repository. */
async function inFolder(): Promise<string> {
  const [folder, before] = [await temporaryDirectory(), process.cwd()];
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
  return folder;
}

const commit = "860c1904a1ce19322e91ac35af1ab07466440c37";
const lines = (text: string): readonly string[] => text.trim().split("\n");

test.each<[readonly string[], readonly string[]]>([
  [
    ["--git-tag", "v1.2.3", "--commit", commit],
    ["1.2.3", "1.2", "1", "sha-860c190", "latest"],
  ],
  [
    ["--git-tag", "v0.1.2"],
    ["0.1.2", "0.1", "latest"],
  ],
  [
    ["--git-tag", "v0.1.2", "--zero"],
    ["0.1.2", "0.1", "0", "latest"],
  ],
  [["--git-tag", "v1.3.0-rc.1"], ["1.3.0-rc.1"]],
  [
    ["--git-tag", "nice"],
    ["nice", "latest"],
  ],
  [["--branch", "feature/New Thing"], ["feature-New-Thing"]],
  [["--pull-request", "12"], ["pr-12"]],
  [
    ["--schedule", "--branch", "main"],
    ["nightly", "main"],
  ],
  [
    ["--branch", "main", "--environment", "prod"],
    ["main", "prod"],
  ],
  [
    ["--git-tag", "v1.2.3", "--flavor", "suffix=-alpine,onlatest=true"],
    ["1.2.3-alpine", "1.2-alpine", "1-alpine", "latest-alpine"],
  ],
  [["--as-of", "2026-01-02", "--tag", "type=raw,value=d-{{date 'YYYYMMDD'}}"], ["d-20260102"]],
])("tags plan %j", async (words, tags) => {
  await inFolder();
  const { stdout, stderr, code } = await gantry(["tags", "plan", ...words]);
  expect(stderr).toBe("");
  expect(lines(stdout)).toEqual(tags);
  expect(code).toBe(0);
});

test("where nothing is known of the build, that is said", async () => {
  await inFolder();
  const { code, stderr } = await gantry(["tags", "plan"], { env: { PATH: "" } });
  expect(code).toBe(2);
  expect(stderr).toContain("nothing is known of what is built: this is no git repository, and no CI");
  expect((await gantry(["tags", "plan", "--branch", "a", "--git-tag", "b"])).code).toBe(2);
});

test("a branch, a tag and the commit are read from git", async () => {
  const folder = await inFolder();
  const env = { PATH: process.env["PATH"], HOME: folder };
  const git = (...words: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...words], {
      cwd: folder,
      env,
    }).toString();
  git("init", "-q", "-b", "main");
  git("commit", "-q", "--allow-empty", "-m", "one");
  const sha = git("rev-parse", "HEAD").slice(0, 7);
  expect(lines((await gantry(["tags", "plan"], { env })).stdout)).toEqual(["main", `sha-${sha}`]);
  git("tag", "v1.9.0");
  git("tag", "v1.10.0");
  git("checkout", "-q", "--detach");
  // A final version is often the very commit of its last candidate; and git can be set up to write for people.
  git("tag", "v1.10.0-rc.1");
  for (const key of ["column.ui", "color.ui"]) git("config", key, "always");
  git("config", "log.showSignature", "true");
  const { stdout } = await gantry(["tags", "plan"], { env });
  expect(lines(stdout)).toEqual(["1.10.0", "1.10", "1", `sha-${sha}`, "latest"]);
});

test("a CI's variables, and GitHub's event", async () => {
  const folder = await inFolder();
  const event = join(folder, "event.json");
  await writeFile(event, JSON.stringify({ repository: { default_branch: "main" } }));
  const env = {
    GITHUB_ACTIONS: "true",
    GITHUB_REF: "refs/heads/main",
    GITHUB_SHA: commit,
    GITHUB_EVENT_NAME: "push",
    GITHUB_EVENT_PATH: event,
    DOCKER_METADATA_SHORT_SHA_LENGTH: "12",
  };
  const words = [
    "tags",
    "plan",
    "--tag",
    "latest,enable={{is_default_branch}}",
    "--tag",
    "type=sha",
    "--format",
    "json",
  ];
  const { stdout } = await gantry(words, { env });
  expect(JSON.parse(stdout)).toEqual({
    build: { ref: "refs/heads/main", sha: commit, event: "push" },
    tags: [
      { tag: "latest", rule: "latest,enable={{is_default_branch}}" },
      { tag: "sha-860c1904a1ce", rule: "type=sha" },
    ],
    remarks: [],
  });
});

test("rules from a file, as they stand in a workflow", async () => {
  await inFolder();
  await writeFile(
    "rules.yaml",
    "tags: |\n  # versions\n  type=semver,pattern=v{{version}}\n\n  type=raw,x\nflavor: |\n  latest=false\n",
  );
  expect(lines(await must("tags", "plan", "--rules", "rules.yaml", "--git-tag", "1.0.0"))).toEqual(["v1.0.0", "x"]);
  await writeFile("rules.yaml", "tags: type=raw,x\nimages: a\n");
  const { code, stderr } = await gantry(["tags", "plan", "--rules", "rules.yaml"]);
  expect(code).toBe(2);
  expect(stderr).toContain('rules.yaml:2:9: images: "images" is not known here');
});

test("for a repository: names in full, without what would move backwards or never moves", async () => {
  await inFolder();
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("new"), "1.3.0");
  await putImage(store("app"), image("old"), "1.2.3");
  await writeFile("gantry.yaml", "tags: {immutable: ['semver:*']}\n");
  const words = [
    "tags",
    "plan",
    "--git-tag",
    "v1.2.3",
    "--for",
    `${host}/app`,
    "--for",
    `${host}/none`,
    "--config",
    "gantry.yaml",
  ];
  const { stdout, stderr } = await gantry(words);
  expect(lines(stdout)).toEqual([
    `${host}/app:1.2`,
    ...["1.2.3", "1.2", "1", "latest"].map((tag) => `${host}/none:${tag}`),
  ]);
  expect(lines(stderr)).toEqual([
    `left: ${host}/app:1: 1.3.0 is newer than 1.2.3, and 1 would move backwards`,
    `left: ${host}/app:latest: 1.3.0 is newer than 1.2.3, and latest would move backwards`,
    `left: ${host}/app:1.2.3: it is there, and never moves, as tags.immutable says`,
  ]);
  expect(await must("tags", "plan", "--branch", "main", "--for", `${host}/app`, "--flags")).toBe(
    `--tag ${host}/app:main\n`,
  );
});

test("a plan for an image that is there, and acting on it", async () => {
  await inFolder();
  const { host, store } = await testRegistry();
  const [old, fresh] = [image("old"), image("fresh")];
  await putImage(store("app"), old, "1.2.3");
  await putImage(store("app"), old, "latest");
  await putImage(store("app"), fresh, "build-7");
  const words = ["tags", "plan", "--git-tag", "v1.2.4", `${host}/app:build-7`];
  expect((await gantry([...words, "--detailed-exitcode"])).code).toBe(7);
  const planned = await gantry([...words, "--out", "plan.json"]);
  expect(planned.stdout).toContain("a new tag");
  expect((await store("app").head("latest"))?.digest).toBe(old.manifest.descriptor.digest);
  expect((await gantry(["apply", "plan.json", "--yes"])).code).toBe(0);
  for (const tag of ["1.2.4", "1.2", "1", "latest"])
    expect((await store("app").head(tag))?.digest).toBe(fresh.manifest.descriptor.digest);
  expect((await gantry([...words, "--detailed-exitcode"])).code).toBe(0);
  const back = await gantry(["tags", "plan", "--git-tag", "v1.2.2", "--yes", "--format", "json", `${host}/app:1.2.3`]);
  expect((JSON.parse(back.stdout) as { steps: readonly { at: string }[] }).steps.map(({ at }) => at)).toEqual([
    `${host}/app:1.2.2`,
  ]);
  expect((await gantry(["tags", "plan", "--git-tag", "v1", `${host}/app:gone`])).code).toBe(3);
});

test("a tag that never moves is refused: with 5 where nothing else is to do, with 6 where something is", async () => {
  await inFolder();
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("old"), "1.2.3");
  await putImage(store("app"), image("fresh"), "build-7");
  await writeFile("gantry.yaml", "tags: {immutable: ['semver:*']}\n");
  const words = ["tags", "plan", `${host}/app:build-7`, "--config", "gantry.yaml"];
  const one = [...words, "--tag", "type=raw,1.2.3"];
  expect(await gantry(one)).toMatchObject({ code: 5, stderr: expect.stringContaining("refused: ") });
  expect((await gantry([...one, "--yes"])).code).toBe(5);
  const both = [...one, "--tag", "type=raw,stable"];
  expect((await gantry(both)).code).toBe(6);
  const applied = await gantry([...both, "--yes", "--format", "json"]);
  expect(applied.code).toBe(6);
  expect(JSON.parse(applied.stdout)).toMatchObject({ complete: false, steps: [{ outcome: "done" }] });
  expect(await store("app").head("stable")).toEqual(await store("app").head("build-7"));
});
