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

const other = digestOf(Buffer.from("another image"));

test.each([
  ["delete manifest", { at: `registry.example/app@${other}` }, "at: names another image than digest: sha256:"],
  ["delete manifest", { at: "registry.example/app:1" }, "at: has to end in @DIGEST"],
  ["delete manifest", { at: "../app" }, "at: "],
  ["delete tag", { at: "foo" }, "at: has to name a tag"],
  ["delete tag", { at: `registry.example/app:1@${other}` }, "at: has both a tag and a digest"],
  ["tag", { at: `registry.example/app@${other}` }, "at: has to name a tag"],
  ["copy", { at: "registry.example/app" }, "at: has to name a tag, or a digest"],
  ["copy", { at: `registry.example/app@${other}`, platforms: undefined }, "at: names another image than digest"],
  ["copy", { from: `registry.example/app:1@${other}` }, "from: names another image than digest"],
  ["copy", { from: `bundle:b.tar!registry.example/app:1@${other}` }, "from: names another image than digest"],
  ["attach", { at: `registry.example/app@${other}` }, "at: names another image than digest"],
  ["restore", { at: `registry.example/app@${other}` }, "at: names another image than digest"],
  ["delete repository", { at: "registry.example/app:1" }, "at: has to name a repository alone"],
  ["create repository", { at: `registry.example/app@${other}` }, "at: has to name a repository alone"],
  ["set immutability", { at: "registry.example/app:1" }, "at: has to name a repository alone"],
])("%s: a place that is not what the step is about is refused", (kind, change, message) => {
  const step = { ...steps.find((one) => one.do === kind)!, after: undefined, ...change };
  const value = JSON.parse(JSON.stringify({ ...full, steps: [step] }));
  expect(() => parsePlan({ name: "plan", value })).toThrow(`plan: steps[0].${message}`);
});

test("an image shown in the place of another is told with its line", () => {
  const text = formatPlan(full).replace(
    `"at": "registry.example/app@${steps[1]!.at.slice(-71)}"`,
    `"at": "registry.example/app@${other}"`,
  );
  expect(() => parsePlan(parseJson(text, "plan.json"))).toThrow(
    /^plan\.json:19:13: steps\[1\]\.at: names another image/,
  );
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
