import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseYaml } from "../../../src/document/yaml.ts";
import { planRetention } from "../../../src/policy/retain/plan-retention.ts";
import { parseRetention } from "../../../src/policy/retain/schema.ts";
import { inventory, now } from "./scene.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/retention.md"), "utf8");
const policies = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) =>
  parseRetention(parseYaml(text!, "guide")),
);

test("the policies in the guide are right, and the first does what it says there", () => {
  expect(policies).toHaveLength(2);
  const images = {
    ...Object.fromEntries(
      ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.1.0", "2.0.0"].map((tag, i) => [tag, { tags: [tag], age: 200 - i }]),
    ),
    used: { tags: ["0.9.0"], age: 300, pulled: 3 },
    ...Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`main-${i}`, { tags: [`main-${i}`], age: i }])),
    kept: { tags: ["keep-1"], age: 400 },
    latest: { tags: ["latest"], age: 400 },
    "pr-1": { tags: ["pr-1"], age: 20 },
    "pr-2": { tags: ["pr-2"], age: 2 },
    moved: { age: 8 },
    fresh: { age: 6 },
    signature: { age: 3, subject: "nobody" },
  };
  const inventories = [inventory(images, { repository: "registry.example/team/app" })];
  const { steps, notes } = planRetention(policies[0]!, { inventories }, now);
  const going = steps.map((step) => (step.do === "delete manifest" ? [step.rule, ...step.tags].join(" ") : step.do));
  expect(going.sort()).toEqual([
    "branches main-5",
    "branches main-6",
    "pull requests pr-1",
    "releases 1.0.0",
    "signatures of images that are gone",
    "what tags moved away from",
  ]);
  expect(notes).toEqual([]);
});
