import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plan/index.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { artifact, image, putImage, twoPlatforms, type TestImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { testService, type TestService } from "./service-scene.ts";
import { gantry, testRegistry, type Ended, type TestRegistry } from "./support.ts";

const day = 86_400_000;

/** A service whose images were pushed so many days ago as their tags end in: `pr-40`. */
async function service(broken: readonly string[] = [], unreadable = ""): Promise<TestService> {
  return testService({
    calls: (own, { registry }) => ({
      repository: (name) => {
        const store = own.repository(name);
        const manifest = (): Promise<never> => Promise.reject(new RegistryError("NETWORK", "no"));
        return name === unreadable ? { ...store, manifest } : store;
      },
      async *images(repository) {
        if (broken.includes(repository)) throw new RegistryError("DENIED", `${repository} is not for you`);
        for (const tag of await Array.fromAsync(registry.repository(repository).tags())) {
          const { digest } = (await registry.repository(repository).head(tag))!;
          const age = Number(/\d+$/.exec(tag)?.[0] ?? 0);
          yield { tags: [tag], digest, pushed: new Date(Date.now() - age * day).toISOString() };
        }
      },
    }),
  });
}

async function policyFile(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), "retain.yaml");
  await writeFile(path, text);
  return path;
}

const old = "version: 1\nrules: [{ tags: [pr-*], delete: { olderThan: 30d } }]\n";

async function put(at: TestService, repository: string, ...tags: readonly string[]): Promise<void> {
  for (const tag of tags) await putImage(at.store(repository), twoPlatforms(`${repository}/${tag}`), tag);
}

const retain = (...words: readonly string[]): Promise<Ended> => gantry(["retain", ...words]);
const planIn = ({ stdout }: Ended): Plan => JSON.parse(stdout) as Plan;

describe("retain", () => {
  test("plans, and stops: an index with its parts", async () => {
    const at = await service();
    await put(at, "app", "pr-10", "pr-40", "1.0");
    const ended = await retain("--policy", await policyFile(old), "--format", "json", `${at.host}/app`);
    expect(ended.code, ended.stderr).toBe(0);
    const { steps, kept, from } = planIn(ended);
    expect(steps.map((step) => step.do)).toEqual(["delete manifest", "delete manifest", "delete manifest"]);
    expect(steps[0]).toMatchObject({ tags: ["pr-40"], why: "pushed more than 30d ago", rule: "rules[0]" });
    expect(steps.slice(1).map(({ after }) => after)).toEqual([["1"], ["1"]]);
    expect(kept.map(({ at: place, why }) => `${place.split(":").at(-1)} ${why}`)).toEqual([
      "1.0 no rule is for it",
      "pr-10 pushed less than 30d ago",
    ]);
    expect(from).toMatch(/retain\.yaml$/);
    expect(await Array.fromAsync(at.store("app").tags())).toEqual(["1.0", "pr-10", "pr-40"]);
    const again = await retain("--policy", await policyFile(old), "--detailed-exitcode", `${at.host}/app`);
    expect(again.code).toBe(7);
  });

  test("reads patterns and whole registries, and each repository once", async () => {
    const at = await service();
    for (const name of ["team/one", "team/two", "other"]) await put(at, name, "pr-40", "1.0");
    const places = async (...words: readonly string[]): Promise<readonly string[]> => {
      const ended = await retain("--policy", await policyFile(old), "--format", "json", ...words);
      expect(ended.code, ended.stderr).toBe(0);
      return planIn(ended).kept.map((kept) => kept.at.replace(at.host, "HOST"));
    };
    expect(await places(`${at.host}/team/*`)).toEqual(["HOST/team/one:1.0", "HOST/team/two:1.0"]);
    expect(await places(`${at.host}/**o*`, `${at.host}/team/one`)).toHaveLength(3);
    expect(await places(at.host)).toEqual(["HOST/other:1.0", "HOST/team/one:1.0", "HOST/team/two:1.0"]);
    const none = await retain("--policy", await policyFile(old), `${at.host}/nobody/*`);
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining("there are no such repositories")]);
  });

  test("what cannot be read is named, and stops nothing else", async () => {
    const at = await service(["broken"]);
    await put(at, "broken", "pr-40", "1.0");
    await put(at, "app", "pr-40", "1.0");
    const ended = await retain("--policy", await policyFile(old), "--format", "json", at.host);
    expect(ended.code).toBe(6);
    expect(planIn(ended).steps).toHaveLength(3);
    expect(planIn(ended).notes).toContainEqual({
      level: "refused",
      at: `${at.host}/broken`,
      message: "it cannot be read, and is left alone: broken is not for you",
    });
    const alone = await retain("--policy", await policyFile(old), `${at.host}/broken`);
    expect([alone.code, alone.stdout]).toEqual([4, ""]);
  });

  test("a repository that is not there is no success", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), image("app"), "1.0");
    const policy = await policyFile(old);
    const alone = await retain("--policy", policy, `${host}/apq`);
    expect([alone.code, alone.stdout]).toEqual([3, ""]);
    const beside = await retain("--policy", policy, `${host}/apq`, `${host}/app`);
    expect(beside.code).toBe(6);
    expect(beside.stderr).toContain(`refused: ${host}/apq: it cannot be read, and is left alone:`);
  });

  test("what is in use, or protected, stays", async () => {
    const at = await service();
    await put(at, "app", "pr-40", "pr-50", "pr-60", "1.0");
    const list = join(await temporaryDirectory(), "running.txt");
    await writeFile(list, `${at.host}/app:pr-40\n`);
    const words = ["--policy", await policyFile(old), "--in-use", list, "--protect", "pr-5*", "--format", "json"];
    const { steps } = planIn(await retain(...words, `${at.host}/app`));
    expect(steps.flatMap((step) => ("tags" in step ? step.tags : []))).toEqual(["pr-60"]);
  });

  test("a repository that would be left empty is refused, unless that is wanted", async () => {
    const at = await service();
    await put(at, "app", "pr-40", "pr-50");
    const words = ["--policy", await policyFile(old), "--format", "json", `${at.host}/app`];
    const refused = await retain(...words);
    expect([refused.code, planIn(refused).steps]).toEqual([5, []]);
    expect(refused.stderr).toContain("the policy would leave no image with a tag of 2");
    const wanted = await retain("--allow-empty", ...words);
    expect([wanted.code, planIn(wanted).steps.length]).toEqual([0, 6]);
  });

  test("as of another day nothing is done, and the size over time is drawn", async () => {
    const at = await service();
    await put(at, "app", "pr-10", "pr-40", "pr-90", "1.0");
    const policy = await policyFile(old);
    const then = new Date(Date.now() - 30 * day).toISOString().slice(0, 10);
    const drawn = join(await temporaryDirectory(), "size.html");
    const ended = await retain(
      "--policy",
      policy,
      "--as-of",
      then,
      "--chart",
      drawn,
      "--allow-empty",
      "--format",
      "json",
      `${at.host}/app`,
    );
    expect(ended.code, ended.stderr).toBe(0);
    expect(planIn(ended).steps[0]).toMatchObject({ tags: ["pr-90"] });
    expect(planIn(ended).kept.map((kept) => kept.at)).toEqual([`${at.host}/app:pr-40`]);
    expect(planIn(ended).made.slice(0, 10)).toBe(then);
    const page = await readFile(drawn, "utf8");
    expect(page).toMatch(/^<!doctype html>[\s\S]*<svg [\s\S]*<\/svg>[\s\S]*<table>/);
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    const shown = await retain("--policy", policy, "--as-of", then, "--chart", "-", `${at.host}/app`);
    expect(shown.stdout).toMatch(/█ with the policy: [\d.]+ kB {3}░ without it: [\d.]+ kB\n$/);
    const piped = await retain("--policy", policy, "--as-of", then, `${at.host}/app`);
    expect(piped.stdout).not.toContain("█");
    const terminal = await gantry(["retain", "--policy", policy, "--as-of", then, `${at.host}/app`], {
      terminal: 60,
      env: { NO_COLOR: "1" },
    });
    expect(terminal.stdout).toContain("█ with the policy");
    expect(
      Math.max(
        ...terminal.stdout
          .split("\n")
          .slice(-14)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(60);
    for (const more of [["--yes"], ["--out", "plan.json"]]) {
      const acted = await retain("--policy", policy, "--as-of", then, ...more, `${at.host}/app`);
      expect([acted.code, acted.stderr]).toEqual([2, expect.stringContaining("as of another day is only shown")]);
    }
  });

  test.each([
    ["no policy", [], "no policy is named"],
    ["a key that is not known", ["--policy", "FILE"], "retain.yaml:2:"],
    ["an image", ["--policy", "FILE"], "names an image", "registry.example/app:1.0"],
    ["a pattern without a registry", ["--policy", "FILE"], "is a pattern without a registry", "team/**"],
    ["a date that is none", ["--policy", "FILE", "--as-of", "monday"], '"monday" is no date'],
    ["a chart of another kind", ["--policy", "FILE", "--chart", "x.png"], "neither an .svg nor an .html"],
  ])("%s is a mistake of who asks", async (name, words, message, place = "registry.example/app") => {
    const text = name === "a key that is not known" ? "version: 1\nrule: []\n" : old;
    const file = await policyFile(text);
    const ended = await retain(...words.map((word) => (word === "FILE" ? file : word)), place);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test("a document that is no policy is named as that; one of a service's form is known by its keys", async () => {
    const at = await service();
    await put(at, "app", "pr-40", "1.0");
    const unknown = await retain("--policy", await policyFile("hello: world\n"), `${at.host}/app`);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("is no policy that is known")]);
    const quay = await policyFile("policies: [{ method: number_of_tags, value: 1, tagPattern: '^pr|^1' }]\n");
    const ended = await retain("--policy", quay, "--format", "json", `${at.host}/app`);
    expect(planIn(ended).steps[0]).toMatchObject({ tags: ["pr-40"], rule: "policies[0]" });
  });
});

describe("on Gantry's own registry", () => {
  /** One whose clock is so many days behind. */
  async function aged(): Promise<TestRegistry & { readonly ago: (days: number) => void }> {
    let late = 0;
    const registry = await testRegistry({ now: () => Date.now() - late * day });
    return { ...registry, ago: (days) => void (late = days) };
  }
  const requestsIn = ({ stderr }: Ended): readonly string[] =>
    (stderr.match(/(?:GET|HEAD|DELETE) \S+/g) ?? []).map((line) => line.replace(/http:\/\/[^/]+/, ""));

  test("goes by the times of pushes: planned with two requests, and done", async () => {
    const at = await aged();
    for (const [tag, days] of [
      ["pr-1", 40],
      ["pr-2", 10],
      ["1.0", 90],
    ] as const) {
      at.ago(days);
      await putImage(at.store("app"), twoPlatforms(tag), tag);
    }
    at.ago(0);
    const words = ["--policy", await policyFile(old), "-v", `${at.host}/app`];
    const planned = await retain("--format", "json", ...words);
    expect(planned.code, planned.stderr).toBe(0);
    expect(planIn(planned).steps.flatMap((step) => ("tags" in step ? step.tags : []))).toEqual(["pr-1"]);
    expect(requestsIn(planned)).toEqual(["GET /v2/", "GET /v2/app/_gantry/inventory/manifests"]);
    expect((await retain("--yes", ...words)).code).toBe(0);
    expect(await Array.fromAsync(at.store("app").tags())).toEqual(["1.0", "pr-2"]);
    const left = await gantry(["ls", "--images", `${at.host}/app`]);
    expect(left.stdout.trim().split("\n")).toHaveLength(6);
  });

  test("goes by the times of pulls, and counts none of its own", async () => {
    const at = await aged();
    at.ago(90);
    for (const tag of ["a", "b", "c"]) await putImage(at.store("app"), image(tag), tag);
    await at.store("app").manifest("b");
    at.ago(5);
    await at.store("app").manifest("a");
    at.ago(0);
    const rules = "[{ tags: ['*'], keep: { pulledWithin: 30d }, delete: { olderThan: 30d } }]";
    const policy = await policyFile(`version: 1\nrules: ${rules}\n`);
    for (let times = 0; times < 2; times++) {
      const { steps, kept } = planIn(await retain("--policy", policy, "--format", "json", `${at.host}/app`));
      expect(steps.flatMap((step) => ("tags" in step ? step.tags : [])).toSorted()).toEqual(["b", "c"]);
      expect(kept.map(({ why }) => why)).toEqual(["pulled within 30d"]);
      await gantry(["ls", "--tree", "--usage", `${at.host}/app`]);
    }
  });

  test("that lives in the future deletes nothing by age", async () => {
    const at = await aged();
    at.ago(-400);
    for (const tag of ["pr-1", "pr-2"]) await putImage(at.store("app"), image(tag), tag);
    await at.store("app").manifest("pr-1");
    const ended = await retain("--policy", await policyFile(old), "--format", "json", `${at.host}/app`);
    expect([ended.code, planIn(ended).steps]).toEqual([0, []]);
    expect((await gantry(["ls", "-l", `${at.host}/app`])).code).toBe(0);
  });
});

describe("on a registry that tells no times", () => {
  const built = (seed: string, days: number): TestImage =>
    image(seed, {
      annotations: { "org.opencontainers.image.created": new Date(Date.now() - days * day).toISOString() },
    });

  test("it is refused with the way out, which is to go by when images were built; then, done", async () => {
    const at = await testRegistry({ extension: false });
    const [gone, stays] = [built("old", 40), built("new", 1)];
    await putImage(at.store("app"), gone, "pr-1");
    await putImage(at.store("app"), artifact("sbom", gone.manifest.descriptor));
    await putImage(at.store("app"), stays, "pr-2");
    await putImage(at.store("app"), artifact("sbom", stays.manifest.descriptor));
    const words = ["--policy", await policyFile(old), `${at.host}/app`];
    const refused = await retain(...words);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("say --use-created")]);
    const done = await retain("--use-created", "--yes", ...words);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain("built more than 30d ago");
    expect(await Array.fromAsync(at.store("app").tags())).toEqual(["pr-2"]);
    expect(await at.store("app").manifest(gone.manifest.descriptor.digest)).toBeUndefined();
    expect(await Array.fromAsync(at.store("app").referrers(gone.manifest.descriptor.digest))).toEqual([]);
    expect(await Array.fromAsync(at.store("app").referrers(stays.manifest.descriptor.digest))).toHaveLength(1);
    const again = await retain("--use-created", "--detailed-exitcode", ...words);
    expect(again.code, again.stderr).toBe(0);
  });
});

test("a manifest that cannot be read holds back its repository, and no other", async () => {
  const at = await service([], "app");
  await put(at, "app", "pr-40", "1.0");
  await put(at, "other", "pr-40", "1.0");
  const ended = await retain("--policy", await policyFile(old), "--format", "json", at.host);
  expect(ended.code).toBe(6);
  const { steps, notes } = planIn(ended);
  expect(new Set(steps.map((step) => step.at.split("@")[0]))).toEqual(new Set([`${at.host}/other`]));
  expect(notes).toEqual([
    {
      level: "refused",
      at: `${at.host}/app`,
      message: expect.stringMatching(/cannot be read, so that nobody knows what it needs: no, and 1 more$/),
    },
  ]);
});
