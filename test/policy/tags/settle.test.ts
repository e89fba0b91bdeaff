import * as fc from "fast-check";
import { compare } from "semver";
import { expect, test } from "vitest";
import type { Digest } from "../../../src/oci/digest.ts";
import { parseFlavor } from "../../../src/policy/tags/flavor.ts";
import { defaultRules } from "../../../src/policy/tags/default-rules.ts";
import { makeTags, type MadeTags } from "../../../src/policy/tags/make.ts";
import { planTags } from "../../../src/policy/tags/plan-tags.ts";
import { covers, latestVariant, releaseOf } from "../../../src/policy/tags/release.ts";
import { settleTags } from "../../../src/policy/tags/settle.ts";

const now = new Date("2026-11-20T14:05:00Z");
const digest = (index: number): Digest => `sha256:${index.toString(16).padStart(64, "0")}`;

function made(version: string, flavor: readonly string[] = []): MadeTags {
  const context = { ref: `refs/tags/${version}`, event: "push" };
  return makeTags(defaultRules(context, { zero: true }), parseFlavor(flavor), context, now);
}

test.each([
  ["1.2.3", "1.2.3", "", 3],
  ["v1.2", "1.2.0", "", 2],
  ["1.2.3-rc.1", "1.2.3-rc.1", "", 3],
  ["1.2.3-rc1-alpine", "1.2.3-rc1", "alpine", 3],
  ["1.2.3-alpine3.20", "1.2.3", "alpine3.20", 3],
  ["1.2.3-debian-12-r4", "1.2.3", "debian-12-r4", 3],
  ["1.2.3-beta", "1.2.3-beta", "", 3],
  ["1-bookworm", "1.0.0", "bookworm", 1],
  ["alpine-1.2.3", "1.2.3", "alpine", 3],
  ["release-v1.2.3", "1.2.3", "release", 3],
])("%s is %s of the variant %j, with %i numbers", (tag, semver, variant, parts) => {
  const release = releaseOf(tag);
  expect([release?.semver.version, release?.variant, release?.parts]).toEqual([semver, variant, parts]);
});

test.each([
  ["latest", ""],
  ["latest-alpine", "alpine"],
  ["alpine-latest", "alpine"],
  ["stable", undefined],
])("%s is of the variant %j", (tag, variant) => {
  expect(latestVariant(tag)).toBe(variant);
});

test.each<[string, readonly string[], readonly string[]]>([
  ["v1.2.4", [], []],
  ["v1.2.4", ["1.2.3", "1.2", "1", "latest"], []],
  ["v1.2.4", ["1.3.0"], ["1", "latest"]],
  ["v1.2.4", ["v1.2.10"], ["1.2", "1", "latest"]],
  ["v1.2.4", ["2.0.0"], ["latest"]],
  ["v1.2.4", ["2.0.0-rc.1", "1.3.0-beta"], []],
  ["v1.2.4", ["1.3.0-alpine", "alpine-2.0.0"], []],
  ["v1.2.4", ["1.3", "20261120", "main"], []],
])("of %s where there are %j, %j are held back", (version, tags, held) => {
  const settled = settleTags(made(version).tags, new Map(tags.map((tag) => [tag, undefined])));
  expect(settled.held.map(({ tag }) => tag)).toEqual(held);
});

test("a tag of any name is held back where it names a newer version", () => {
  const tags = new Map([
    ["2.0.0-rc.1", digest(1)],
    ["stable", digest(1)],
    ["other", digest(2)],
  ]);
  const extra = ["stable", "other"].map((tag) => ({ tag, rule: tag }));
  const { held } = settleTags([...made("v1.0.0").tags, ...extra], tags);
  expect(held).toEqual([
    { tag: "stable", rule: "stable", why: "2.0.0-rc.1 is newer than 1.0.0, and stable would move backwards" },
  ]);
});

test("a variant has its own latest", () => {
  const tags = made("v1.2.3", ["suffix=-alpine,onlatest=true"]);
  expect(tags.tags.map(({ tag }) => tag)).toEqual(["1.2.3-alpine", "1.2-alpine", "1-alpine", "latest-alpine"]);
  const there = new Map([["1.3.0-alpine", undefined]]);
  expect(settleTags(tags.tags, there).held.map(({ tag }) => tag)).toEqual(["1-alpine", "latest-alpine"]);
});

test("a plan: new tags, tags that move on, and what stays", () => {
  const tags = new Map([
    ["1.2.4", digest(4)],
    ["1.2", digest(3)],
    ["1", digest(9)],
    ["latest", digest(9)],
    ["1.3.0", digest(9)],
  ]);
  const state = { repository: "registry.example/app", digest: digest(4), tags };
  const plan = planTags({ ...made("v1.2.4"), notes: ["odd"] }, state, {}, now);
  expect(plan).toEqual({
    version: 1,
    kind: "tags",
    made: "2026-11-20T14:05:00.000Z",
    from: `registry.example/app@${digest(4)}`,
    steps: [
      {
        id: "1",
        do: "tag",
        at: "registry.example/app:1.2",
        digest: digest(4),
        before: digest(3),
        why: `it names ${digest(3)} now, and moves on`,
        rule: "type=semver,pattern={{major}}.{{minor}}",
      },
    ],
    kept: [
      {
        at: "registry.example/app:1",
        digest: digest(9),
        why: "1.3.0 is newer than 1.2.4, and 1 would move backwards",
        rule: "type=semver,pattern={{major}}",
      },
      {
        at: "registry.example/app:latest",
        digest: digest(9),
        why: "1.3.0 is newer than 1.2.4, and latest would move backwards",
        rule: "latest=auto, with type=semver,pattern={{version}}",
      },
      {
        at: "registry.example/app:1.2.4",
        digest: digest(4),
        why: "it names this image already",
        rule: "type=semver,pattern={{version}}",
      },
    ],
    notes: [{ level: "warning", message: "odd" }],
  });
  const forced = planTags(made("v1.2.4"), state, { force: true }, now);
  expect(forced.steps.map(({ at }) => at)).toEqual([
    "registry.example/app:1.2",
    "registry.example/app:1",
    "registry.example/app:latest",
  ]);
});

test("a version that was published is moved with a warning, and one that never moves not at all", () => {
  const tags = new Map([["1.0.0", digest(1)]]);
  const state = { repository: "registry.example/app", digest: digest(2), tags };
  const warned = planTags(made("v1.0.0"), state, {}, now);
  expect(warned.steps.map(({ at }) => at)).toContain("registry.example/app:1.0.0");
  expect(warned.notes).toEqual([
    {
      level: "warning",
      at: "registry.example/app:1.0.0",
      message: "a version that was published is given to another image",
    },
  ]);
  const refused = planTags(made("v1.0.0"), state, { immutable: (tag) => tag === "1.0.0" }, now);
  expect(refused.steps.map(({ at }) => at)).not.toContain("registry.example/app:1.0.0");
  expect(refused.notes.map(({ level }) => level)).toEqual(["refused"]);
});

test("whatever is released in whatever order, every alias ends at the newest version that it stands for", () => {
  const number = fc.integer({ min: 0, max: 3 });
  const version = fc
    .tuple(number, number, number, fc.constantFrom("", "", "", "-rc.1"))
    .map(([a, b, c, pre]) => `v${a}.${b}.${c}${pre}`);
  fc.assert(
    fc.property(fc.uniqueArray(version, { maxLength: 12 }), (versions) => {
      const tags = new Map<string, Digest>();
      versions.forEach((one, index) => {
        const state = { repository: "registry.example/app", digest: digest(index + 1), tags };
        const plan = planTags(made(one), state, {}, now);
        for (const step of plan.steps) {
          if (step.do !== "tag") throw new Error(step.do);
          const tag = step.at.slice("registry.example/app:".length);
          expect(step.before).toBe(tags.get(tag) ?? null);
          tags.set(tag, step.digest);
        }
        // Planned again, nothing is left to do.
        expect(planTags(made(one), state, {}, now).steps).toEqual([]);
      });
      const finals = versions.filter((one) => !one.includes("-"));
      for (const [tag, named] of tags) {
        const alias = releaseOf(tag);
        if (alias?.parts === 3) continue;
        const stands = finals.filter((one) => !alias || covers(alias, releaseOf(one)!));
        const newest = stands.toSorted(compare).at(-1)!;
        expect([tag, named]).toEqual([tag, digest(versions.indexOf(newest) + 1)]);
      }
    }),
  );
});
