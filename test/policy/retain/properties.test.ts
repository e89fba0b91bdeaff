import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { needed, subjectOfTag } from "../../../src/graph/needed.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type { Plan, Step } from "../../../src/plan/plan.ts";
import { recheckDeletions } from "../../../src/plan/recheck.ts";
import { isDeletion } from "../../../src/plan/plan.ts";
import type { DialectPolicy } from "../../../src/policy/retain/dialect.ts";
import { protection } from "../../../src/policy/protect.ts";
import { planRetention } from "../../../src/policy/retain/plan-retention.ts";
import type { Keep, RetentionPolicy, RetentionRule } from "../../../src/policy/retain/retention.ts";
import { ecrPolicy, retention } from "../../cli/lifecycle-scene.ts";
import { applied, digest, inventory, now, type Sketch } from "./scene.ts";

const names = Array.from({ length: 9 }, (_, i) => `m${i}`);
const hex = (name: string): string => digest(name).replace(":", "-");
/** Mostly nothing: else all hangs together, and nothing ever goes. */
const seldom = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some });
const plainTag = fc.constantFrom(
  "latest",
  "1.0.0",
  "1.0.1",
  "1.1.0",
  "1.1",
  "1",
  "2.0.0-rc.1",
  "dev-1",
  "dev-2",
  "main-1",
  "main-2",
);
const digestTag = fc.constantFrom(
  ...names.map((name) => `${hex(name)}.sig`),
  ...names.map(hex),
  `${hex("nobody")}.sig`,
);
const tag = fc.oneof({ weight: 7, arbitrary: plainTag }, { weight: 1, arbitrary: digestTag });

/** Repositories with anything in them: parts and subjects point only to what comes later, tags to anything. */
const repository = (name: string): fc.Arbitrary<Inventory> =>
  fc
    .tuple(
      fc.array(
        fc.record({
          age: fc.integer({ min: 0, max: 60 }),
          pulled: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
          children: fc.subarray(names.slice(4), { maxLength: 3 }),
          subject: seldom(fc.constantFrom(...names, "nobody")),
          immutable: fc.boolean(),
        }),
        { minLength: names.length, maxLength: names.length },
      ),
      fc.dictionary(tag, fc.constantFrom(...names)),
      fc.constantFrom("alone", "impossible", "takes the image along", "not everywhere"),
    )
    .map(([sketches, tags, tagDeletion]) =>
      inventory(
        Object.fromEntries(
          sketches.map(({ children, subject, pulled, immutable, age }, i): [string, Sketch] => [
            names[i]!,
            {
              age,
              children: children.filter((child) => child > names[i]!),
              tags: Object.keys(tags).filter((one) => tags[one] === names[i]),
              ...(subject !== undefined && subject !== names[i] && { subject }),
              ...(pulled !== undefined && { pulled }),
              ...(immutable && age % 4 === 0 && { immutable }),
            },
          ]),
        ),
        { repository: `registry.example/${name}`, ...(tagDeletion !== "alone" && { tagDeletion }) },
      ),
    );

const few = fc.constantFrom("dev-*", "1.1*", "/m.*-\\d/", "semver:>=1.1", "main-*", "latest");
const pattern = fc.oneof(few, fc.constantFrom("*", "1.*", "/.*-\\d/", "semver:*"));
const span = fc.integer({ min: 0, max: 30 }).map((days) => `${days}d`);
const keep: fc.Arbitrary<Keep> = fc.record(
  {
    newest: fc.integer({ min: 1, max: 4 }),
    by: fc.constantFrom("pushed", "semver"),
    per: fc.constantFrom("major", "minor", "/^(\\w+)-/" as const),
    youngerThan: span,
    pulledWithin: span,
  },
  { requiredKeys: ["newest"] },
);
const rule: fc.Arbitrary<RetentionRule> = fc.oneof(
  fc.record(
    {
      tags: fc.array(pattern, { minLength: 1, maxLength: 2 }),
      except: fc.tuple(few),
      keep,
      delete: fc.record({ olderThan: span }),
    },
    { requiredKeys: ["tags", "keep"] },
  ),
  fc.record({ tags: fc.tuple(pattern), delete: fc.record({ olderThan: span }) }),
  fc.record({ untagged: fc.constant(true as const), delete: fc.record({ olderThan: span }) }),
  fc.record({ orphaned: fc.constant(true as const), delete: fc.record({ olderThan: span }) }),
);
const own: fc.Arbitrary<RetentionPolicy> = fc.record(
  {
    version: fc.constant(1 as const),
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
    protect: fc.tuple(few),
    minKeep: fc.constantFrom(1, 1, 3),
    maxDelete: fc.constantFrom(2, 20, "50%", "90%"),
  },
  { requiredKeys: ["version", "rules"] },
);
const dialects: fc.Arbitrary<DialectPolicy> = fc.constantFrom(
  { dialect: "ecr" as const, document: ecrPolicy },
  {
    dialect: "harbor" as const,
    document: { ...retention, rules: [{ ...retention.rules[0]!, params: { latestPushedK: 2 } }] },
  },
  {
    dialect: "gitlab" as const,
    document: { enabled: true, keep_n: 1, older_than: "7d", name_regex: ".*", name_regex_keep: "1.*" },
  },
  { dialect: "quay" as const, document: { policies: [{ method: "number_of_tags", value: 2 }] } },
);
const state = fc.record({
  inventories: fc.tuple(repository("a"), repository("b")),
  inUse: fc.subarray([
    { reference: "registry.example/a:latest", by: "pod" },
    { reference: `registry.example/b@${digest("m7")}`, by: "job" },
  ]),
  protect: fc.subarray(["main-*", digest("m3")]).map(protection),
  allowEmpty: fc.constantFrom(true, true, false),
});
const scene = fc.record({ policy: fc.oneof(own, dialects), state });

const stepsIn = (plan: Plan, { repository: name }: Inventory) =>
  plan.steps.filter(isDeletion).filter(({ at }) => at.startsWith(`${name}@`) || at.startsWith(`${name}:`));

test("every tag is kept or goes, never both", () => {
  fc.assert(
    fc.property(scene, ({ policy, state: given }) => {
      const plan = planRetention(policy, given, now);
      for (const from of given.inventories) {
        const going = stepsIn(plan, from).flatMap((step) =>
          step.do === "delete manifest" ? step.tags.map((one) => `${from.repository}:${one}`) : [step.at],
        );
        const kept = plan.kept.map(({ at }) => at).filter((at) => at.startsWith(`${from.repository}:`));
        expect([...going, ...kept].sort()).toEqual(
          [...from.tags.keys()].map((one) => `${from.repository}:${one}`).sort(),
        );
      }
    }),
  );
});

test("nothing goes that a kept tag or an image in use needs, and applying finds nothing amiss", () => {
  fc.assert(
    fc.property(scene, ({ policy, state: given }) => {
      const plan = planRetention(policy, given, now);
      for (const from of given.inventories) {
        const steps = stepsIn(plan, from);
        const gone = new Set<Digest>(steps.flatMap((step) => (step.do === "delete manifest" ? [step.digest] : [])));
        const kept = plan.kept.filter(
          ({ at }) => at.startsWith(`${from.repository}:`) || at.startsWith(`${from.repository}@`),
        );
        const roots = kept
          .filter(({ at }) => subjectOfTag(at.slice(from.repository.length + 1)) === undefined)
          .map((one) => ({ digest: one.digest!, why: one.why }));
        for (const one of needed(from, roots).keys()) expect(gone).not.toContain(one);
        for (const verdict of recheckDeletions(steps, from).values()) expect(verdict).toEqual({ verdict: "go" });
        expect(steps.flatMap(({ after = [] }) => after).every((id) => steps.some((step) => step.id === id))).toBe(true);
      }
    }),
  );
});

test("what an index or a subject that stays has, stays: no manifest is left without its parts", () => {
  fc.assert(
    fc.property(scene, ({ policy, state: given }) => {
      const plan = planRetention(policy, given, now);
      for (const from of given.inventories) {
        const left = applied(from, plan.steps);
        for (const held of left.manifests.values()) {
          const before: Held = from.manifests.get(held.digest)!;
          for (const child of before.children) expect(left.manifests.has(child)).toBe(from.manifests.has(child));
        }
      }
    }),
  );
});

// Services' own policies count what becomes an image of its own when its index is gone; ours count tags alone.
test("when a plan of our own is done, there is nothing to do", () => {
  fc.assert(
    fc.property(fc.record({ policy: own, state }), ({ policy, state: given }) => {
      const plan = planRetention(policy, given, now);
      const inventories = given.inventories.map((from) => applied(from, plan.steps));
      expect(planRetention(policy, { ...given, inventories }, now).steps).toEqual([]);
    }),
  );
});

test("the order of repositories does not matter", () => {
  fc.assert(
    fc.property(scene, ({ policy, state: given }) => {
      const turned = { ...given, inventories: given.inventories.toReversed() };
      expect(planRetention(policy, turned, now)).toEqual(planRetention(policy, given, now));
    }),
  );
});

test("who keeps more newest keeps at least the same", () => {
  const one = fc.record({ policy: fc.record({ version: fc.constant(1 as const), rules: fc.tuple(rule) }), state });
  fc.assert(
    fc.property(one, fc.integer({ min: 1, max: 3 }), ({ policy, state: given }, more) => {
      const [first] = policy.rules;
      const widened: RetentionRule = {
        ...first,
        ...(first.keep && { keep: { ...(first.keep as Keep), newest: (first.keep as Keep).newest! + more } }),
      };
      const free = { ...given, allowEmpty: true };
      const kept = (of: RetentionPolicy): ReadonlySet<string> =>
        new Set(planRetention(of, free, now).kept.flatMap(({ at }) => (at.includes("@") ? [] : at)));
      const wide = kept({ ...policy, rules: [widened] });
      for (const at of kept(policy)) expect(wide).toContain(at);
    }),
  );
});

test("what these properties are about does come up", () => {
  const plans = fc.sample(scene, { numRuns: 300, seed: 1 }).map(({ policy, state: given }) => ({
    isOwn: !("dialect" in policy),
    ...planRetention(policy, given, now),
  }));
  const share = (fits: (plan: (typeof plans)[number]) => boolean): number => plans.filter(fits).length / plans.length;
  const has = (fits: (step: Step) => boolean) => (plan: Plan) => plan.steps.some(fits);
  expect(share(({ isOwn, steps }) => isOwn && steps.length > 0)).toBeGreaterThan(0.15);
  expect(share(({ isOwn, steps }) => !isOwn && steps.length > 0)).toBeGreaterThan(0.15);
  expect(share(has((step) => step.do === "delete tag"))).toBeGreaterThan(0.1);
  expect(share(has((step) => step.do === "delete manifest" && step.after !== undefined))).toBeGreaterThan(0.1);
  expect(share(({ notes }) => notes.some(({ level }) => level === "refused"))).toBeGreaterThan(0.02);
});
