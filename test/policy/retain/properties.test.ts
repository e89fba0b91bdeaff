import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { needed, subjectOfTag } from "../../../src/graph/needed.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type { Plan, Step } from "../../../src/plan/plan.ts";
import { recheckDeletions } from "../../../src/plan/recheck.ts";
import { isDeletion } from "../../../src/plan/plan.ts";
import { lifecycleDialects } from "../../../src/policy/lifecycle/dialects.ts";
import { planRetention } from "../../../src/policy/retain/plan-retention.ts";
import type { Keep, RetentionPolicy, RetentionRule } from "../../../src/policy/retain/retention.ts";
import { ownScene, ownState, rule, scene } from "./arbitraries.ts";
import { applied, now } from "./scene.ts";

/** So that each dialect comes up some twenty times. */
const runs = { numRuns: 300 };

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
    runs,
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
    runs,
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
    runs,
  );
});

// Of services' own, dialect-properties.test.ts tells when.
test("when a plan of our own is done, there is nothing to do", () => {
  fc.assert(
    fc.property(ownScene, ({ policy, state: given }) => {
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
    runs,
  );
});

test("who keeps more newest keeps at least the same", () => {
  const one = fc.record({
    policy: fc.record({ version: fc.constant(1 as const), rules: fc.tuple(rule) }),
    state: ownState,
  });
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
  const plans = fc.sample(scene, { numRuns: 700, seed: 1 }).map(({ policy, state: given }) => ({
    form: "dialect" in policy ? policy.dialect : "own",
    ...planRetention(policy, given, now),
  }));
  const share = (fits: (plan: (typeof plans)[number]) => boolean): number => plans.filter(fits).length / plans.length;
  const has = (fits: (step: Step) => boolean) => (plan: Plan) => plan.steps.some(fits);
  expect(share(({ form, steps }) => form === "own" && steps.length > 0)).toBeGreaterThan(0.15);
  for (const dialect of lifecycleDialects) {
    const of = plans.filter(({ form }) => form === dialect);
    expect(of.filter(({ steps }) => steps.length > 0).length, dialect).toBeGreaterThan(5);
  }
  expect(share(has((step) => step.do === "delete tag"))).toBeGreaterThan(0.1);
  expect(share(has((step) => step.do === "delete manifest" && step.after !== undefined))).toBeGreaterThan(0.1);
  expect(share(({ notes }) => notes.some(({ level }) => level === "refused"))).toBeGreaterThan(0.02);
});
