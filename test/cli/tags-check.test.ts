import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TagFinding } from "../../src/policy/index.ts";
import { image, indexOf, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry } from "./support.ts";

const [old, fresh] = [image("old"), image("fresh")];

async function scene() {
  const { host, store } = await testRegistry();
  await putImage(store("app"), old, "1.2.3");
  await putImage(store("app"), old, "1.2");
  await putImage(store("app"), fresh, "1.2.4");
  return { app: `${host}/app`, store: store("app") };
}

test("findings for people, for programs, and as an exit code", async () => {
  const { app } = await scene();
  const { stdout, code } = await gantry(["tags", "check", app]);
  expect(stdout).toBe(
    `warning ${app}:1.2: alias-behind\n` +
      "  1.2 is 1.2.3, and the newest version that it stands for is 1.2.4\n" +
      `  gantry tag ${app}:1.2.4 1.2; or all of them, with --plan\n`,
  );
  expect(code).toBe(0);
  const json = await gantry(["tags", "check", app, "--fail-on", "warning", "--format", "json"]);
  expect((JSON.parse(json.stdout) as TagFinding[]).map(({ rule }) => rule)).toEqual(["alias-behind"]);
  expect(json.code).toBe(5);
  expect((await gantry(["tags", "check", app, "--fail-on", "error"])).code).toBe(0);
  expect((await gantry(["tags", "check", app, "--fail-on", "bad"])).code).toBe(2);
});

test("findings stay within a terminal; a command to copy is not broken", async () => {
  const { app } = await scene();
  const { stdout } = await gantry(["tags", "check", app], { terminal: 40, env: { NO_COLOR: "1" } });
  expect(stdout).toBe(`warning ${app}:1.2:
  alias-behind
  1.2 is 1.2.3, and the newest version
  that it stands for is 1.2.4
  gantry tag ${app}:1.2.4 1.2;
  or all of them, with --plan
`);
});

test("--plan moves what is behind, and then nothing is found", async () => {
  const { app, store } = await scene();
  expect((await gantry(["tags", "check", app, "--plan", "--detailed-exitcode"])).code).toBe(7);
  expect((await gantry(["tags", "check", app, "--plan", "--yes"])).code).toBe(0);
  expect((await store.head("1.2"))?.digest).toBe(fresh.manifest.descriptor.digest);
  const { stdout, stderr } = await gantry(["tags", "check", app]);
  expect([stdout, stderr]).toEqual(["", `nothing found in ${app}\n`]);
});

test("--history tells a version that was overwritten since", async () => {
  const { app, store } = await scene();
  const file = join(await temporaryDirectory(), "tags.json");
  const check = () => gantry(["tags", "check", app, "--history", file, "--fail-on", "error"]);
  expect((await check()).code).toBe(0);
  await putImage(store, image("evil"), "1.2.3");
  const { code, stdout } = await check();
  expect(code).toBe(5);
  expect(stdout).toContain(`error ${app}:1.2.3: overwritten\n`);
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
    version: 1,
    repositories: { [app]: { "1.2.3": { before: [{}] } } },
  });
  await writeFile(file, "[]");
  expect((await check()).code).toBe(2);
  expect(await readFile(file, "utf8")).toBe("[]");
});

test("several runs at once that write one --history lose nothing of each other", async () => {
  const { host, store } = await testRegistry();
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) await putImage(store(name), old, "1.0.0");
  const file = join(await temporaryDirectory(), "tags.json");
  const ended = await Promise.all(names.map((name) => gantry(["tags", "check", `${host}/${name}`, "--history", file])));
  expect(ended.map(({ code }) => code)).toEqual(names.map(() => 0));
  const { repositories } = JSON.parse(await readFile(file, "utf8")) as { repositories: Record<string, unknown> };
  expect(Object.keys(repositories).toSorted()).toEqual(names.map((name) => `${host}/${name}`));
  const none = await gantry(["tags", "check", `${host}/a`, "--history", join(file, "..", "none", "tags.json")]);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot write ") });
});

test("platforms are read from indexes", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), twoPlatforms("one"), "1.0.0");
  await putImage(store("app"), twoPlatforms("two"), "1.1.0");
  const { stderr } = await gantry(["tags", "check", `${host}/app`]);
  expect(stderr).toBe(`nothing found in ${host}/app\n`);
  const oneOnly = indexOf([image("three/linux/arm64", { platform: "linux/arm64" })]);
  await putImage(store("app"), oneOnly, "1.2.0");
  const { stdout } = await gantry(["tags", "check", `${host}/app`]);
  expect(stdout).toContain("1.2.0 is not there for linux/amd64, and 1.1.0 is\n");
});

test("a repository that is not there is not one without faults", async () => {
  const { host } = await testRegistry();
  expect((await gantry(["tags", "check", `${host}/none`])).code).toBe(3);
  expect((await gantry(["tags", "check", `${host}/none:tag`])).code).toBe(2);
});

test("of several repositories, one that cannot be read stops no other, and is told", async () => {
  const { app } = await scene();
  const none = app.replace("/app", "/none");
  const why = `cannot list the tags of ${none}: ${app.replace("/app", "")} answered 404 NAME_UNKNOWN: there is no repository none`;
  for (const line of [
    [app, none],
    [none, app],
  ]) {
    const { code, stdout, stderr } = await gantry(["tags", "check", ...line]);
    expect({ code, stderr }).toEqual({ code: 6, stderr: `error: ${none}: ${why}\n` });
    expect(stdout).toContain(`warning ${app}:1.2: alias-behind\n`);
  }
  expect(await gantry(["tags", "check", app, none, "--fail-on", "warning"])).toMatchObject({ code: 5 });
  const planned = await gantry(["tags", "check", app, none, "--plan", "--format", "json"]);
  expect(planned).toMatchObject({ code: 6, stderr: expect.stringContaining(why) });
  expect(JSON.parse(planned.stdout)).toMatchObject({
    steps: [{ do: "tag", at: `${app}:1.2` }],
    notes: [{ level: "refused", at: none, message: why }],
  });
  expect((await gantry(["tags", "check", none, `${none}2`])).code).toBe(3);
  expect((await gantry(["tags", "check", app, `${app}:tag`])).code).toBe(2);
});

test("receipts of promotions tell it, too: of a version that was promoted over, and of one that was pushed over", async () => {
  const { app, store } = await scene();
  await putImage(store, image("evil"), "dev");
  const promote = (from: string, tag: string) =>
    gantry(["promote", `${app}:${from}`, "--to", `${app}:${tag}`, "--yes"]);
  expect((await promote("dev", "1.2.3")).code).toBe(0);
  expect((await promote("1.2.4", "1.3.0")).code).toBe(0);
  await putImage(store, image("evil"), "1.3.0");
  const found: readonly TagFinding[] = JSON.parse((await gantry(["tags", "check", app, "--format", "json"])).stdout);
  const overwritten = found.flatMap(({ rule, at, message }) => (rule === "overwritten" ? [[at, message]] : []));
  const named = (tag: string, before: typeof old): string[] => [
    `${app}:${tag}`,
    `${tag} named ${before.manifest.descriptor.digest} before, and names ${image("evil").manifest.descriptor.digest} now`,
  ];
  expect(overwritten).toEqual([named("1.3.0", fresh), named("1.2.3", old)]);
});

test("journals of this machine tell of versions that plans moved, and of none that plans took away", async () => {
  const { app, store } = await scene();
  const state = await temporaryDirectory();
  const run = (...words: readonly string[]) => gantry(words, { env: { XDG_STATE_HOME: state } });
  const [was, is] = [old, fresh].map(({ manifest }) => manifest.descriptor.digest);
  const set = (tag: string, digest: string | undefined) =>
    run("tags", "plan", `${app}@${digest}`, "--tag", `type=raw,value=${tag}`, "--force", "--yes");
  const moved = await set("1.2.3", is);
  expect(moved.stderr).toContain("to take it back: gantry undo ");
  const check = async () => {
    const { stdout, stderr } = await run("tags", "check", app, "--format", "json");
    const found = (JSON.parse(stdout) as TagFinding[]).filter(({ rule }) => /overwritten|removed/.test(rule));
    return { found: found.map(({ at, message }) => [at, message]), stderr };
  };
  const overwritten = [[`${app}:1.2.3`, `1.2.3 named ${was} before, and names ${is} now`]];
  expect(await check()).toEqual({ found: overwritten, stderr: "" });
  await putImage(store, image("next"), "1.2.5");
  const policy = join(state, "policy.yaml");
  await writeFile(policy, `version: 1\nrules:\n  - { tags: ["semver:*"], keep: { newest: 1, by: semver } }\n`);
  expect((await run("retain", app, "--policy", policy, "--yes")).code).toBe(0);
  expect([await store.head("1.2.3"), (await check()).found]).toEqual([undefined, []]);
  await set("1.3.0", was);
  await store.deleteTag("1.3.0");
  const removed = [[`${app}:1.3.0`, `1.3.0 is gone; it named ${was}`]];
  expect((await check()).found).toEqual(removed);
  // A run that was killed before its first step.
  for (const text of ["", '{"line":"pl'])
    await writeFile(join(state, "gantry", "journals", `killed-${text.length}.jsonl`), text);
  expect(await check()).toEqual({ found: removed, stderr: "" });
  const broken = join(state, "gantry", "journals", "broken.jsonl");
  await writeFile(broken, "{}\n");
  const { found, stderr } = await check();
  expect(found).toEqual(removed);
  expect(stderr).toContain(`${broken}:1: `);
  expect(stderr).toContain("what it could tell of tags is not known");
});
