import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSync, type TagRule } from "../../../src/policy/sync/parse.ts";
import { candidates, selectTags, type TagFacts } from "../../../src/policy/sync/select.ts";
import type { TagSet } from "../../../src/policy/sync/sync-file.ts";

const now = new Date("2026-11-20T00:00:00Z");
const rules = (tags: readonly TagSet[]): readonly TagRule[] => {
  const value = { version: 1, sync: [{ from: "registry.example/app", to: "mirror.example/app", tags }] };
  return parseSync({ name: "sync.yaml", value })[0]!.tags;
};
const days = (n: number): number => now.getTime() - n * 86_400_000;
const tags = ["1.0.0", "1.0.1", "1.1.0", "1.1.0-rc.1", "2.0.0", "latest", "nightly", `sha256-${"a".repeat(64)}.sig`];
const facts = new Map<string, TagFacts>([
  ["1.0.0", { created: days(90), pushed: days(1) }],
  ["1.0.1", { created: days(60), pushed: days(60) }],
  ["1.1.0", { created: days(30), pushed: days(30) }],
  ["2.0.0", { created: days(3), pushed: days(2) }],
  ["latest", { created: days(3) }],
]);

describe("which tags are selected", () => {
  test.each<[string, readonly TagSet[], readonly string[]]>([
    ["all without sets, but for what hangs on images", [], tags.slice(0, 7)],
    ["a glob", [{ include: ["1.*"] }], ["1.0.0", "1.0.1", "1.1.0", "1.1.0-rc.1"]],
    ["exclude counts more", [{ include: ["1.*"], exclude: ["*-rc*"] }], ["1.0.0", "1.0.1", "1.1.0"]],
    ["a range", [{ semver: ">=1.1" }], ["1.1.0", "2.0.0"]],
    ["with pre-releases", [{ semver: ">=1.0.5", prereleases: true }], ["1.1.0", "1.1.0-rc.1", "2.0.0"]],
    ["without pre-releases", [{ prereleases: false, exclude: ["1.0*"] }], ["1.1.0", "2.0.0", "latest", "nightly"]],
    ["the newest by version, where there are any", [{ newest: 2 }], ["1.1.0", "2.0.0"]],
    ["the newest by push", [{ newest: 2, by: "pushed" }], ["1.0.0", "2.0.0"]],
    ["the newest by when they were built", [{ newest: 2, by: "created", exclude: ["latest"] }], ["1.1.0", "2.0.0"]],
    ["the newest by name", [{ newest: 2, by: "name" }], ["latest", "nightly"]],
    ["of equals, the later name", [{ newest: 1, by: "created" }], ["latest"]],
    ["what was built lately", [{ within: "31d" }], ["1.1.0", "2.0.0", "latest"]],
    ["what was pushed lately", [{ within: "31d", by: "pushed" }], ["1.0.0", "1.1.0", "2.0.0"]],
    ["sets together", [{ include: ["latest"] }, { semver: "~1.0", newest: 1 }], ["1.0.1", "latest"]],
  ])("%s", (_, sets, expected) => {
    expect(selectTags(tags, rules(sets), facts, now).selected).toEqual(expected);
  });
});

test("a number behind a word is in no range, and none of the newest versions unless they go by that", () => {
  const mixed = ["1.0.0", "v2.0.0", "main-12", "pr-3", "latest"];
  const selected = (set: TagSet) => selectTags(mixed, rules([set]), new Map(), now).selected;
  expect(selected({ semver: ">=1" })).toEqual(["1.0.0", "v2.0.0"]);
  expect(selected({ newest: 3 })).toEqual(["1.0.0", "v2.0.0"]);
  expect(selected({ newest: 1, by: "semver" })).toEqual(["main-12"]);
});

test("each tag that is not selected says why", () => {
  const { dropped, tooFew } = selectTags(
    tags,
    rules([
      { semver: "^1", newest: 1, atLeast: 2 },
      { include: ["n*"], within: "1d" },
    ]),
    facts,
    now,
  );
  expect(Object.fromEntries(dropped.map(({ tag, why }) => [tag, why]))).toEqual({
    "1.0.0": "it is not among the newest 1 by semver; no pattern includes it",
    "1.0.1": "it is not among the newest 1 by semver; no pattern includes it",
    "1.1.0-rc.1": "it is not in ^1; no pattern includes it",
    "2.0.0": "it is not in ^1; no pattern includes it",
    latest: "it is no version; no pattern includes it",
    nightly: "it is no version; nobody tells when it was created",
  });
  expect(tooFew).toEqual(["1 fit tags[0], and at least 2 have to"]);
});

test("every tag is selected or dropped with a reason, never both, whatever the order they come in", () => {
  const set = fc.record(
    {
      include: fc.subarray(["1.*", "2.*", "latest", "/v\\d+/"], { minLength: 1 }),
      exclude: fc.subarray(["*-rc*", "1.0.*"]),
      semver: fc.constantFrom(">=1", "<2", "~1.1"),
      newest: fc.integer({ min: 1, max: 4 }),
      by: fc.constantFrom("semver" as const, "created" as const, "pushed" as const, "name" as const),
      within: fc.constantFrom("1d", "45d"),
    },
    { requiredKeys: [] },
  );
  const lists = fc.shuffledSubarray(["1.0.0", "1.0.1", "1.1.0-rc.1", "2.0.0", "2", "latest", "v7", "x"]);
  fc.assert(
    fc.property(lists, fc.array(set, { minLength: 1, maxLength: 3 }), (names, sets) => {
      const compiled = rules(sets);
      const { selected, dropped } = selectTags(names, compiled, facts, now);
      expect([...selected, ...dropped.map(({ tag }) => tag)].toSorted()).toEqual(names.toSorted());
      expect(dropped.every(({ why }) => why !== "")).toBe(true);
      expect(selectTags(names.toReversed(), compiled, facts, now).selected).toEqual(selected);
      const possible = new Set(compiled.flatMap((one) => candidates(names, one)));
      expect(selected.filter((tag) => !possible.has(tag))).toEqual([]);
    }),
  );
});
