import { expect, test } from "vitest";
import type { LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { lifecycleWarnings } from "../../../src/policy/lifecycle/warnings.ts";
import { retention } from "../../cli/lifecycle-scene.ts";
import { now } from "./samples.ts";

const day = 86_400_000;
const digest = (n: number) => `sha256:${String(n).padStart(64, "0")}` as const;
const image = (age: number, tags: string, more: Partial<LifecycleImage> = {}): LifecycleImage => ({
  digest: digest(age),
  tags: tags.split(" ").filter(Boolean),
  pushed: new Date(now - age * day).toISOString(),
  ...more,
});
const ecr = (selection: object): object => ({
  rules: [{ rulePriority: 1, description: "long enough to be taken by it", selection, action: { type: "expire" } }],
});
const count = { countType: "imageCountMoreThan", countNumber: 3 };
const harbor = (template: string, pattern: string, n = 7): object => {
  const [rule] = retention.rules;
  const selector = { ...rule!.tag_selectors[0], pattern, extras: "" };
  return {
    ...retention,
    rules: [{ ...rule, template, params: template === "always" ? {} : { [template]: n }, tag_selectors: [selector] }],
  };
};
const zot = (...keepTags: object[]): object => ({ policies: [{ repositories: ["**"], keepTags }] });
const google = (policies: object): object => ({ cleanupPolicies: policies });
const [remove, keep] = [
  { action: "DELETE", condition: { olderThan: "86400s" } },
  { action: "KEEP", mostRecentVersions: { keepCount: 2 } },
];

const index = [image(1, "v1", { children: [digest(2), digest(3)] }), image(2, ""), image(3, "")];
const pulled = { pulled: new Date(now - day).toISOString() };

const cases: readonly (readonly [
  LifecycleDialect,
  object,
  readonly LifecycleImage[],
  ...(readonly [string, string])[],
])[] = [
  ["ecr", ecr({ tagStatus: "tagged", tagPatternList: ["v*"], ...count }), index],
  [
    "ecr",
    ecr({ tagStatus: "tagged", tagPrefixList: ["dev", "test"], ...count }),
    [image(1, "dev-1"), image(2, "test-1")],
    [
      "rules[0].selection",
      "selects images that have tags for all of dev, test; here, none has: to mean any of them, write a rule for each",
    ],
  ],
  [
    "ecr",
    ecr({ tagStatus: "tagged", tagPatternList: ["dev*", "test*"], ...count }),
    [image(1, "dev-1 test-1")],
    ["rules[0].selection", "selects images that have tags for all of dev*, test*"],
  ],
  [
    "ecr",
    ecr({ tagStatus: "tagged", tagPatternList: ["prod*"], ...count }),
    index,
    ["rules[0]", "selects nothing here"],
  ],
  [
    "ecr",
    ecr({ tagStatus: "any", ...count }),
    index,
    ["rules[0]", "counts the 2 manifests that indexes are made of among its 3"],
  ],
  ["artifact-registry", google({ a: remove, b: keep }), [image(1, "v1")]],
  ["artifact-registry", google({ b: keep }), index, ["cleanupPolicies", "only keeps: without a DELETE, nothing goes"]],
  [
    "artifact-registry",
    google({ a: remove }),
    index,
    ["cleanupPolicies", "keeps nothing: all that a DELETE fits goes, the newest too"],
  ],
  [
    "artifact-registry",
    google({ a: remove, b: keep }),
    index,
    ["cleanupPolicies.b", "counts the 2 manifests that indexes are made of among its 2"],
  ],
  ["harbor", harbor("latestPushedK", "**"), index],
  [
    "harbor",
    harbor("nDaysSinceLastPull", "**"),
    [image(1, "v1", pulled), image(2, "v2"), image(3, "")],
    ["rules[0]", `does not retain what was never pulled, however new it is: v2, ${digest(3)} would go`],
  ],
  [
    "harbor",
    harbor("always", "realease-*"),
    [image(1, "release-1")],
    [
      "rules[0]",
      "retains nothing here: no image fits its selector (matches realease-*), and what no rule retains goes",
    ],
  ],
  [
    "harbor",
    harbor("always", "v*"),
    [image(1, "v1 dev-1"), image(2, "dev-2 dev-3")],
    ["rules", "fits no tag of dev-1: they stay with their images, which have others that are retained"],
  ],
  ["gitlab", { enabled: true, cadence: "1d", name_regex: "(dev|review).*" }, []],
  [
    "gitlab",
    { enabled: true, cadence: "1d", name_regex: "dev|review" },
    [],
    ["name_regex", "fits what begins with dev or ends with review: to mean whole tags, write (dev|review)"],
  ],
  ["zot", zot({ patterns: ["^v"] }), [image(1, "v1")]],
  [
    "zot",
    zot({ patterns: ["^v"] }, { patterns: ["v2"] }),
    [image(1, "v1 dev"), image(2, "a b"), image(3, "c")],
    ["policies[0].keepTags[1]", "keeps nothing here: no tag fits it, or an entry before has them"],
    ["policies[0].keepTags", "is for no tag like dev, a, b and 1 more: with any entry at all, what fits none goes"],
  ],
  [
    "zot",
    { storage: { gc: false, retention: zot({}) } },
    [image(1, "v1")],
    ["storage.retention", "does nothing: garbage collection (gc) is off, which subPaths have to turn on"],
  ],
];

test.each(cases.map(([dialect, document, images, ...expected]) => ({ dialect, document, images, expected })))(
  "$dialect: $expected",
  ({ dialect, document, images, expected }) => {
    expect(
      lifecycleWarnings(dialect, document, images, { now, repository: "library/app" }).map(({ at, message }) => [
        at,
        message,
      ]),
    ).toEqual(expected);
  },
);

test("a document that the service would refuse is refused", () => {
  expect(() => lifecycleWarnings("ecr", {}, [], { now, repository: "app" })).toThrow(/no policy that ecr takes/);
});
