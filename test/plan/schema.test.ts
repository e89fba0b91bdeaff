import { expect, test } from "vitest";
import { parseJson } from "../../src/document/json.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { digestOfPlan, formatPlan, parsePlan } from "../../src/plan/schema.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { full, steps, wrong } from "./samples.ts";

test("a plan with all there is comes back as it was written", () => {
  expect(parsePlan(parseJson(formatPlan(full), "plan"))).toEqual(full);
});

test.each(Object.entries(wrong))("%s is refused by place", (_, [value, message]) => {
  expect(() => parsePlan({ name: "plan", value })).toThrow(message);
});

test.each([
  ["an id that is there twice", [steps[0]!, steps[0]!], "plan: steps[1].id: 1 is there twice"],
  [
    "a step after a later one",
    [
      { ...steps[0]!, after: ["2"] },
      { ...steps[1]!, after: [] },
    ],
    "plan: steps[0].after[0]: there is no step 2 before this one",
  ],
  [
    "a step after itself",
    [{ ...steps[0]!, after: ["1"] }],
    "plan: steps[0].after[0]: there is no step 1 before this one",
  ],
] as const)("%s is refused", (_, its, message) => {
  expect(() => parsePlan({ name: "plan", value: { ...full, steps: its } })).toThrow(message);
});

test("a fault is told with its line, in JSON as in YAML", () => {
  const text = formatPlan(full).replace('"kind": "retain"', '"kind": "destroy"');
  expect(() => parsePlan(parseJson(text, "plan.json"))).toThrow("plan.json:3:11: kind: ");
});

test("equal plans have equal texts and digests, however their fields stand", () => {
  const turned = Object.fromEntries(Object.entries(full).toReversed()) as unknown as Plan;
  expect(formatPlan(turned)).toBe(formatPlan(full));
  expect(digestOfPlan(turned)).toBe(digestOfPlan(full));
  expect(digestOfPlan(full)).toBe(digestOf(Buffer.from(formatPlan(full))));
});

test("what is no plan is not written", () => {
  expect(() => formatPlan({ ...full, kind: "destroy" as never })).toThrow("the plan: kind: ");
});
