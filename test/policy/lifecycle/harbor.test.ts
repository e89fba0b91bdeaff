import { describe, expect, test } from "vitest";
import { checkDocument } from "../../../src/policy/lifecycle/check.ts";
import { convertLifecycle } from "../../../src/policy/lifecycle/convert.ts";
import { guessDialect } from "../../../src/policy/lifecycle/guess.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { now } from "./samples.ts";

const day = 86_400_000;
const digest = (n: number) => `sha256:${String(n).padStart(64, "0")}` as const;
const at = (time: number): string => new Date(time).toISOString();
const selector = (decoration: string, pattern: string, untagged?: boolean): object => ({
  kind: "doublestar",
  decoration,
  pattern,
  ...(untagged !== undefined && { extras: JSON.stringify({ untagged }) }),
});
const everything = selector("matches", "**");
const everywhere = selector("repoMatches", "**");
const rule = (template: string, params: object, tags = everything, repository = everywhere): object => ({
  action: "retain",
  template,
  params,
  tag_selectors: [tags],
  scope_selectors: { repository: [repository] },
});
const harbor = (...rules: readonly object[]): object => ({
  algorithm: "or",
  rules,
  trigger: { kind: "Schedule", settings: { cron: "" } },
});
const decide = (document: object, images: readonly LifecycleImage[], repository = "library/app") =>
  simulateLifecycle("harbor", document, images, { now, repository });
/** The places of the images that stay. */
const kept = (document: object, images: readonly LifecycleImage[]): readonly number[] => {
  const decisions = decide(document, images).filter(({ action }) => action === "keep");
  return images.flatMap((one, i) => (decisions.some(({ image }) => image.digest === one.digest) ? [i] : []));
};
const count = (template: string, n: unknown, images: readonly LifecycleImage[], name = template): number =>
  kept(harbor(rule(template, n === undefined ? {} : { [name]: n })), images).length;

/** Images by days since their push and their pull, of which 0 is none. */
const images = (all: readonly (readonly [pushed: number, pulled?: number])[]): readonly LifecycleImage[] =>
  all.map(([pushed, pulled], i) => ({
    digest: digest(i),
    tags: [`t${i}`],
    pushed: at(now - pushed * day),
    ...(pulled !== undefined && { pulled: at(now - pulled * day) }),
  }));

// github.com/goharbor/harbor, src/pkg/retention/policy/rule/*/evaluator_test.go, TestProcess of each; an hour before days are over.
describe("Harbor's own: what a template retains", () => {
  const hour = 1 / 24;
  const days = [1, 2, 3, 4, 5, 10, 20, 30];
  const since = [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
    [5, 5],
    [15, 6],
    [90, 8],
  ] as const;

  test.each(since)("daysps: of %i days, %i", (n, expected) => {
    expect(count("nDaysSinceLastPush", n, images(days.map((age) => [age - hour])))).toBe(expected);
  });

  test.each(since)("dayspl: of %i days, %i", (n, expected) => {
    expect(count("nDaysSinceLastPull", n, images(days.map((age) => [100, age - hour])))).toBe(expected);
  });

  test.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 3],
    [5, 4],
    [6, 5],
    [7, 5],
  ] as const)("lastx: of %i days, %i", (n, expected) => {
    expect(count("lastXDays", n, images([1, 2, 3, 4, 5, 99].map((age) => [age])))).toBe(expected);
  });

  test.each([
    [0, []],
    [1, [4]],
    [3, [2, 3, 4]],
    [5, [0, 1, 2, 3, 4]],
    [6, [0, 1, 2, 3, 4]],
  ] as const)("latestps and latestpl: of the last %i, %j", (n, expected) => {
    const order = [4, 3, 2, 1, 0];
    expect(kept(harbor(rule("latestPushedK", { latestPushedK: n })), images(order.map((age) => [age])))).toEqual(
      expected,
    );
    const pulled = images(order.map((age) => [100, age]));
    expect(kept(harbor(rule("latestPulledN", { latestPulledN: n })), pulled)).toEqual(expected);
  });

  test.each([
    [0, []],
    [1, [6]],
    [2, [5, 6]],
    [5, [2, 3, 4, 5, 6]],
    [6, [1, 2, 3, 4, 5, 6]],
    [99, [0, 1, 2, 3, 4, 5, 6]],
  ] as const)("latestk: of the last %i that were active, %j", (n, expected) => {
    // Pulled and pushed at 1/2, 3/4, 6/5, 8/7, 9/9, 10/10 and 0/11.
    const active = images([[18, 19], [16, 17], [15, 14], [13, 12], [11, 11], [10, 10], [9]]);
    expect(kept(harbor(rule("latestActiveK", { latestActiveK: n })), active)).toEqual(expected);
  });

  test.each([
    ["latestPushedK", 10],
    ["latestPulledN", 10],
    ["latestActiveK", 10],
  ] as const)("%s without a number retains %i", (template, expected) => {
    expect(count(template, undefined, images(Array.from({ length: 12 }, (_, i) => [i, i])))).toBe(expected);
  });

  test.each([
    ["lastXDays", 10],
    ["nDaysSinceLastPush", 30],
    ["nDaysSinceLastPull", 30],
  ] as const)("%s without a number goes back %i days", (template, expected) => {
    const ages = Array.from({ length: 40 }, (_, i): [number, number] => [i + 0.5, i + 0.5]);
    expect(count(template, undefined, images(ages))).toBe(expected);
  });

  // TestValid of each.
  test.each([
    ["latestPushedK", 5, 0],
    ["latestPushedK", -1, 1],
    ["latestPushedK", 40_000, 1],
    ["latestPulledN", 40_000, 1],
    ["nDaysSinceLastPush", 5, 0],
    ["nDaysSinceLastPush", 21_000_000, 1],
    ["nDaysSinceLastPull", -1, 1],
    ["nDaysSinceLastPull", 21_000_000, 1],
  ] as const)("%s of %i has %i faults", (template, n, faults) => {
    expect(checkDocument("harbor", harbor(rule(template, { [template]: n })))).toHaveLength(faults);
  });
});

// src/lib/selector/selectors/doublestar/selector_test.go
describe("Harbor's own: what a selector takes", () => {
  const one = (n: number, ...tags: string[]): LifecycleImage => ({ digest: digest(n), tags, pushed: at(now - n) });
  const artifacts = [one(1, "latest"), one(2, "4.0"), one(3, "4.1"), one(4)];

  test.each<readonly [decoration: string, pattern: string, untagged: boolean | undefined, taken: readonly number[]]>([
    ["matches", "{latest,4.*}", false, [0, 1, 2]],
    ["matches", "4.*", false, [1, 2]],
    ["matches", "4.*", undefined, [1, 2, 3]],
    ["excludes", "{latest,4.*}", true, []],
    ["excludes", "{latest,4.*}", undefined, [3]],
    ["excludes", "4.*", true, [0]],
    // doublestar v1: ! is no negation.
    ["matches", "[!4]*", false, [1, 2]],
    ["matches", "[^4]*", false, [0]],
  ])("%s %s (untagged: %s)", (decoration, pattern, untagged, taken) => {
    expect(kept(harbor(rule("always", {}, selector(decoration, pattern, untagged))), artifacts)).toEqual(taken);
  });

  test.each([
    ["repoMatches", "{redis}", "library/harbor", false],
    ["repoMatches", "{redis}", "retention/redis", true],
    ["repoMatches", "har*", "library/harbor", true],
    ["repoExcludes", "har*", "library/harbor", false],
    ["repoExcludes", "{redis}", "library/special", true],
    ["repoMatches", "web/**", "library/web", false],
    ["repoMatches", "web/**", "library/web/one/two", true],
    ["repoMatches", "web**", "library/web/one", false],
  ] as const)("%s %s is for %s: %s", (decoration, pattern, repository, isFor) => {
    const policy = harbor(rule("latestPushedK", { latestPushedK: 0 }, everything, selector(decoration, pattern)));
    expect(decide(policy, [one(1, "v1")], repository)[0]!.action).toBe(isFor ? "delete" : "keep");
  });

  // src/pkg/retention/policy/builder_test.go and alg/or/processor_test.go (the parts without labels, which policies do not have).
  test("what no rule takes goes", () => {
    const both = [one(1, "latest"), one(2, "dev")];
    expect(kept(harbor(rule("latestPushedK", { latestPushedK: 10 }, selector("matches", "latest"))), both)).toEqual([
      0,
    ]);
    expect(kept(harbor(rule("lastXDays", { lastXDays: 10 }, selector("matches", "*dev*"))), both)).toEqual([1]);
  });
});

// src/pkg/immutable/match/rule/match_test.go
describe("Harbor's own: what is immutable", () => {
  const immutable = (tags: string, repository: string, decoration = "matches"): object => ({
    project_id: 1,
    priority: 1,
    action: "immutable",
    template: "immutable_template",
    tag_selectors: [selector(decoration, tags)],
    scope_selectors: { repository: [selector("repoMatches", repository)] },
  });
  const rules = [immutable("release-**", "redis"), immutable("**", "mysql")];
  const none = harbor(rule("latestPushedK", { latestPushedK: 0 }));
  const one = (...tags: string[]): LifecycleImage => ({ digest: digest(1), tags, pushed: at(now) });

  test.each<readonly [repository: string, tags: readonly string[], holds: string | undefined]>([
    ["library/redis", ["release-1.10"], "immutable[0]"],
    ["library/redis", ["1.10"], undefined],
    ["immutable/mysql", ["9.4.8"], "immutable[1]"],
    ["immutable/hello", ["world"], undefined],
    ["library/redis", [], undefined],
    ["library/redis", ["1.10", "release-1.10"], "immutable[0]"],
  ])("%s %j: %s", (repository, tags, holds) => {
    const [decision] = decide({ retention: none, immutable: rules }, [one(...tags)], repository);
    expect(decision).toMatchObject(
      holds === undefined ? { action: "delete" } : { action: "keep", rule: holds, reason: "it is immutable" },
    );
  });

  test("a rule that excludes holds what has no tag, too; one that is disabled holds nothing", () => {
    const excludes = { retention: none, immutable: [immutable("dev-*", "**", "excludes")] };
    expect(decide(excludes, [one()])[0]!.action).toBe("keep");
    expect(decide(excludes, [one("dev-1")])[0]!.action).toBe("delete");
    const disabled = { retention: none, immutable: [{ ...immutable("**", "**"), disabled: true }] };
    expect(decide(disabled, [one("v1")])[0]!.action).toBe("delete");
  });

  test("is known, checked with its places, and kept by what it is converted to", () => {
    const document = {
      retention: harbor(rule("nDaysSinceLastPush", { nDaysSinceLastPush: 7 })),
      immutable: [immutable("release-*", "**")],
    };
    expect(guessDialect(document)).toBe("harbor");
    expect(checkDocument("harbor", document)).toEqual([]);
    const wrong = { retention: { ...none, algorithm: "and" }, immutable: [{ ...immutable("", "**") }, 5], more: 1 };
    expect(checkDocument("harbor", wrong).map((fault) => fault.at)).toEqual([
      "more",
      "retention.algorithm",
      "immutable[0].tag_selectors[0].pattern",
      "immutable[1]",
    ]);
    const { document: converted, losses } = convertLifecycle("harbor", "artifact-registry", document);
    expect(converted).toEqual({
      cleanupPolicies: {
        "delete-1": { id: "delete-1", action: "DELETE", condition: { tagState: "ANY", olderThan: "604800s" } },
        "keep-1": { id: "keep-1", action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["release-"] } },
      },
    });
    expect(losses).toEqual([]);
  });
});
