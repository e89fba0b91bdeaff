import { describe, expect, test } from "vitest";
import { planRetention } from "../../../src/policy/retain/plan-retention.ts";
import type { RetentionPolicy, RetentionRule } from "../../../src/policy/retain/retention.ts";
import { inventory, now, type Sketch } from "./scene.ts";

/** The tags that a rule takes of images that have one tag each, `TAG: days since the push`. */
function taken(
  rule: RetentionRule,
  images: Readonly<Record<string, number | Sketch>>,
  policy: Partial<RetentionPolicy> = {},
): readonly string[] {
  const sketches = Object.entries(images).map(
    ([tag, of]) => [tag, { tags: [tag], ...(typeof of === "number" ? { age: of } : of) }] as const,
  );
  const state = { inventories: [inventory(Object.fromEntries(sketches))], allowEmpty: true };
  const plan = planRetention({ version: 1, ...policy, rules: [rule] }, state, now);
  expect(plan.notes.filter(({ level }) => level === "refused")).toEqual([]);
  return plan.steps.flatMap((step) => (step.do === "delete manifest" ? step.tags : step.at)).sort();
}

const ages = { a: 1, b: 2, c: 3, d: 4 };
const numbered = { "pr-12": 90, "build-7": 90, "v1.0": 90, "1.1.0": 90 };

describe("what a rule takes", () => {
  test.each<[string, RetentionRule, readonly string[]]>([
    ["all but the newest", { keep: { newest: 2 } }, ["c", "d"]],
    ["what is older", { delete: { olderThan: "2d" } }, ["c", "d"]],
    ["what is older, but for the newest", { keep: { newest: 3 }, delete: { olderThan: "2d" } }, ["d"]],
    ["what is not younger", { keep: { youngerThan: "3d" } }, ["d"]],
    ["what neither is kept for", { keep: { newest: 1, youngerThan: "60h" } }, ["c", "d"]],
    ["what none of several keeps", { keep: [{ newest: 1 }, { youngerThan: "2d" }] }, ["c", "d"]],
    ["nothing that it keeps always", { keep: { always: true }, delete: { olderThan: "0d" } }, []],
    ["what is like its tags", { tags: ["[ab]", "/c+/"], delete: { olderThan: "0d" } }, ["a", "b", "c"]],
    ["but for its exceptions", { except: ["a", "d"], delete: { olderThan: "0d" } }, ["b", "c"]],
    ["nothing of other repositories", { repositories: ["team/*"], delete: { olderThan: "0d" } }, []],
    ["repositories by name", { repositories: ["ap?"], delete: { olderThan: "3d" } }, ["d"]],
    ["repositories with their host", { repositories: ["registry.example/**"], delete: { olderThan: "3d" } }, ["d"]],
  ])("%s", (_, rule, expected) => expect(taken(rule, ages)).toEqual(expected));

  test("a range of versions takes no tag that has but a number", () => {
    expect(taken({ tags: ["semver:*"], delete: { olderThan: "0d" } }, numbered)).toEqual(["1.1.0", "v1.0"]);
  });

  test("what the policy protects stays", () => {
    expect(taken({ delete: { olderThan: "0d" } }, ages, { protect: ["a", "/[cd]/"] })).toEqual(["b"]);
  });
});

describe("by pulls", () => {
  const keep = { pulledWithin: "10d" };

  test("what was pulled of late stays, and what was never pulled goes by its push", () => {
    const images = { used: { age: 90, pulled: 9 }, idle: { age: 90, pulled: 11 }, fresh: 9, stale: 11 };
    expect(taken({ keep }, images)).toEqual(["idle", "stale"]);
    // A pull that was before the push was of what its tag named then, and counts for nothing.
    expect(taken({ keep }, { again: { age: 9, pulled: 60 }, idle: { age: 90, pulled: 11 } })).toEqual(["idle"]);
  });

  test("an index is pulled where a part of it is", () => {
    const of = inventory({
      index: { tags: ["1.0"], age: 90, pulled: 80, children: ["part"] },
      part: { age: 90, pulled: 3 },
      other: { tags: ["0.9"], age: 90, pulled: 80 },
    });
    const plan = planRetention({ version: 1, rules: [{ keep }] }, { inventories: [of] }, now);
    expect(plan.steps.map(({ at }) => at)).toEqual([expect.stringContaining("@sha256:")]);
    expect(plan.kept).toContainEqual(
      expect.objectContaining({ at: "registry.example/app:1.0", why: "pulled within 10d" }),
    );
  });

  test("where nothing is told of pulls, all stays, and that is said", () => {
    const of = inventory({ one: { tags: ["1"], age: 900 } });
    const plan = planRetention({ version: 1, rules: [{ keep }] }, { inventories: [of] }, now);
    expect(plan.steps).toEqual([]);
    expect(plan.notes).toEqual([
      {
        level: "warning",
        at: "registry.example/app",
        message: "rules[0]: nothing is told of pulls here, so that pulledWithin keeps all that it is for",
      },
    ]);
  });
});

describe("by versions", () => {
  const zero = (...tags: readonly string[]): Readonly<Record<string, number>> =>
    Object.fromEntries(tags.map((tag) => [tag, 0]));

  test.each<[string, NonNullable<RetentionRule["keep"]>, readonly string[], readonly string[]]>([
    ["the newest by semver", { newest: 2, by: "semver" }, ["1.9.0", "1.10.0", "1.2.0", "0.1.0"], ["0.1.0", "1.2.0"]],
    [
      "so many of each minor",
      { newest: 1, by: "semver", per: "minor" },
      ["1.1.0", "1.1.1", "1.2.0", "2.1.5", "2.1.10"],
      ["1.1.0", "2.1.5"],
    ],
    ["so many of each major", { newest: 1, by: "semver", per: "major" }, ["v1.1.0", "v1.2.0", "v2.0.0"], ["v1.1.0"]],
    ["what is no version stays", { newest: 1, by: "semver" }, ["1.0.0", "1.1.0", "latest", "20260102"], ["1.0.0"]],
    [
      "pre-releases take no places of releases",
      { newest: 1, by: "semver" },
      ["2.0.0-rc.2", "2.0.0-rc.1", "1.9.0", "1.8.0"],
      ["1.8.0", "2.0.0-rc.1"],
    ],
    [
      "nor do variants",
      { newest: 1, by: "semver" },
      ["1.1.0", "1.1.0-alpine", "1.0.0", "1.0.0-alpine"],
      ["1.0.0", "1.0.0-alpine"],
    ],
    [
      "an alias shares the place of the newest that it stands for",
      { newest: 2, by: "semver" },
      ["1.2", "1", "1.2.9", "1.2.8", "1.2.7"],
      ["1.2.7"],
    ],
    [
      "versions of two numbers count by themselves",
      { newest: 2, by: "semver" },
      ["22.04", "24.04", "26.04"],
      ["22.04"],
    ],
  ])("%s", (_, keep, tags, expected) => expect(taken({ keep }, zero(...tags))).toEqual(expected));

  test("streams by a regular expression: branches, each with its newest", () => {
    const images = { "main-1": 3, "main-2": 2, "main-3": 1, "dev-1": 30, "dev-2": 20, latest: 99 };
    const rule: RetentionRule = { keep: { newest: 1, per: "/^(\\w+)-\\d+$/" } };
    expect(taken(rule, images)).toEqual(["dev-1", "main-1", "main-2"]);
  });

  test("the tags of one image take up one place", () => {
    const of = inventory({
      new: { tags: ["a", "b", "c"], age: 1 },
      old: { tags: ["d"], age: 2 },
      oldest: { tags: ["e"], age: 3 },
    });
    const plan = planRetention({ version: 1, rules: [{ keep: { newest: 2 } }] }, { inventories: [of] }, now);
    expect(plan.steps).toMatchObject([{ do: "delete manifest", tags: ["e"] }]);
  });
});

describe("by which moment", () => {
  const untold = { one: { age: Number.NaN, built: 40 }, two: { age: Number.NaN, built: 10 } };
  const rule: RetentionRule = { delete: { olderThan: "30d" } };
  const planned = (of: Readonly<Record<string, Sketch>>, one = rule, useCreated = false) =>
    planRetention({ version: 1, rules: [one] }, { inventories: [inventory(of)], useCreated }, now);
  const named = { one: { ...untold.one, tags: ["one"] }, two: { ...untold.two, tags: ["two"] } };

  test("a registry that does not tell of pushes is refused, with the way out", () => {
    const { steps, notes, kept } = planned(named);
    expect(steps).toEqual([]);
    expect(notes).toMatchObject([{ level: "refused", message: expect.stringContaining("say --use-created") }]);
    expect(kept.map(({ at }) => at)).toEqual(["registry.example/app:one", "registry.example/app:two"]);
  });

  test.each([
    ["by: created in the rule", { ...rule, by: "created" as const }, false],
    ["--use-created", rule, true],
  ])("%s goes by when they were built", (_, one, useCreated) => {
    expect(planned(named, one, useCreated).steps).toMatchObject([{ tags: ["one"], rule: "rules[0]" }]);
  });

  test("a keep by: created needs no push, and versions no time at all", () => {
    const { steps, notes } = planned(named, { keep: { newest: 1, by: "created" } });
    expect([steps, notes]).toMatchObject([[{ tags: ["one"] }], []]);
    const versions = { one: { ...named.one, tags: ["1.0"] }, two: { ...named.two, tags: ["1.1"] } };
    const found = planned(versions, { keep: { newest: 1, by: "semver" } });
    expect([found.steps, found.notes]).toMatchObject([[{ tags: ["1.0"] }], []]);
  });

  test.each<[string, RetentionRule["keep"], Readonly<Record<string, string>>]>([
    [
      "another condition",
      [{ youngerThan: "30d" }, { newest: 2, by: "semver" }],
      { "1.0": "by version", "1.1": "by version" },
    ],
    [
      "another half of one",
      { newest: 2, by: "semver", youngerThan: "30d" },
      { "1.0": "by version", "1.1": "by version" },
    ],
    ["being no version", [{ youngerThan: "30d" }, { newest: 1, by: "semver" }], { a: "no version", b: "no version" }],
  ])("nobody has to know when what stays by %s was pushed", (_, keep, whys) => {
    const [one, two] = Object.keys(whys);
    const of = { one: { ...untold.one, tags: [one!] }, two: { ...untold.two, tags: [two!] } };
    const { steps, kept, notes } = planned(of, { keep: keep! });
    expect([steps, notes]).toEqual([[], []]);
    expect(kept).toHaveLength(2);
    for (const { at, why } of kept) expect(why).toContain(whys[at.slice(at.indexOf(":") + 1)]);
  });

  test("where that keeps but some, only what stays by nothing else is told", () => {
    const versions = { one: { ...named.one, tags: ["1.0"] }, two: { ...named.two, tags: ["1.1"] } };
    const { steps, notes } = planned(versions, { keep: [{ youngerThan: "30d" }, { newest: 1, by: "semver" }] });
    expect(steps).toEqual([]);
    expect(notes).toMatchObject([
      { level: "warning", message: expect.stringMatching(/^rules\[0\]: 1\.0 stays, as it/) },
    ]);
  });

  test("where nobody tells of pushes nor of pulls, a rule by pulls is refused", () => {
    const { notes } = planned(named, { keep: { pulledWithin: "30d" } });
    expect(notes.map(({ level }) => level).sort()).toEqual(["refused", "warning"]);
  });

  test("the push counts with --use-created, where it is told", () => {
    const of = { one: { tags: ["one"], age: 1, built: 400 }, two: { tags: ["two"], age: 50, built: 400 } };
    expect(planned(of, rule, true).steps).toMatchObject([{ tags: ["two"] }]);
  });

  test("who says to be built in 1970 says nothing", () => {
    const of = {
      one: { tags: ["one"], built: 20_000 },
      two: { tags: ["two"], built: 40 },
      new: { tags: ["new"], built: 1 },
    };
    const { steps, notes } = planned(of, { ...rule, by: "created" });
    expect(steps).toMatchObject([{ tags: ["two"] }]);
    expect(notes).toMatchObject([
      {
        level: "warning",
        message: expect.stringContaining("one stays, as it is not known when it was created (a time before 2000"),
      },
    ]);
  });
});
