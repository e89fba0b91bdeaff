import { describe, expect, test } from "vitest";
import { checkDocument } from "../../../src/policy/lifecycle/check.ts";
import type { LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { goes, now } from "./samples.ts";

// What the services' own pages give as examples, and say of their outcome.
const day = 86_400_000;
const digest = (n: number) => `sha256:${String(n).padStart(64, "0")}` as const;
const image = (name: number, age: number, ...tags: string[]): LifecycleImage => ({
  digest: digest(name),
  tags,
  pushed: new Date(now - age * day).toISOString(),
});
const gone = (dialect: LifecycleDialect, document: object, images: readonly LifecycleImage[]): readonly string[] => {
  expect(checkDocument(dialect, document)).toEqual([]);
  return [...goes(simulateLifecycle(dialect, document, images, { now, repository: "project/repository" }))].toSorted();
};

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html
describe("Amazon ECR: examples of lifecycle policies", () => {
  const policy = (...selections: readonly object[]): object => ({
    rules: selections.map((selection, i) => ({
      rulePriority: i + 1,
      description: `Rule ${i + 1}`,
      selection,
      action: { type: "expire" },
    })),
  });
  const newest = (countNumber: number): object => ({ countType: "imageCountMoreThan", countNumber });
  const tagged = (...tagPatternList: string[]): object => ({ tagStatus: "tagged", tagPatternList });
  const days = (countNumber: number, countType = "sinceImagePushed"): object => ({
    countType,
    countUnit: "days",
    countNumber,
  });

  const two = [image(1, 10, "beta-1", "prod-1"), image(2, 9, "beta-2", "prod-2"), image(3, 8, "beta-3")];
  const six = [
    image(1, 12, "alpha-1"),
    image(2, 11, "beta-1"),
    image(3, 10, "alpha-2", "beta-2"),
    image(4, 4, "alpha-3"),
    image(5, 3, "beta-3"),
    image(6, 2, "alpha-4", "beta-4"),
  ];
  const four = [image(1, 4, "alpha-1"), image(2, 3, "beta-1"), image(3, 2), image(4, 1, "alpha-2")];

  test.each<readonly [name: string, policy: object, images: readonly LifecycleImage[], expired: readonly string[]]>([
    [
      "multiple rules, example A: image A is expired",
      policy({ ...tagged("prod*"), ...newest(1) }, { ...tagged("beta*"), ...newest(1) }),
      two,
      ["beta-1", "prod-1"],
    ],
    [
      "multiple rules, example B: images A and B are expired",
      policy({ ...tagged("beta*"), ...newest(1) }, { ...tagged("prod*"), ...newest(1) }),
      two,
      ["beta-1", "beta-2", "prod-1", "prod-2"],
    ],
    [
      "multiple tags in a single rule: image C is expired",
      policy({ ...tagged("alpha*", "beta*"), ...days(5) }),
      six,
      ["alpha-2", "beta-2"],
    ],
    [
      "all images: images A, B, and C are expired",
      policy({ tagStatus: "any", ...newest(1) }),
      four,
      ["alpha-1", "beta-1", digest(3)],
    ],
    [
      "image age",
      policy({ ...tagged("prod*"), ...days(14) }),
      [image(1, 15, "prod-1"), image(2, 13, "prod-2")],
      ["prod-1"],
    ],
    [
      "image count",
      policy({ tagStatus: "untagged", ...newest(1) }),
      [image(1, 3), image(2, 2), image(3, 1)],
      [digest(1), digest(2)],
    ],
  ])("filtering on %s", (_name, document, images, expired) => expect(gone("ecr", document, images)).toEqual(expired));

  const archive = { type: "transition", targetStorageClass: "archive" };
  const rule = (selection: object, action: object, rulePriority = 1): object => ({
    rulePriority,
    description: "Archive images, or expire them",
    selection,
    action,
  });
  const idle = { tagStatus: "any", ...days(90, "sinceImagePulled") };
  const archived = { tagStatus: "any", storageClass: "archive", ...days(365, "sinceImageTransitioned") };

  test.each([
    ["last pulled time", [rule(idle, archive)]],
    ["archive transition time", [rule(archived, { type: "expire" })]],
    ["archiving by age", [rule({ ...tagged("prod*"), ...days(30) }, archive)]],
    ["archive and expire", [rule({ tagStatus: "any", ...days(30) }, archive), rule(archived, { type: "expire" }, 2)]],
  ])("%s is taken, and deletes nothing here", (_name, rules) => expect(gone("ecr", { rules }, four)).toEqual([]));

  test("sinceImagePulled cannot be used with the expire action", () => {
    expect(checkDocument("ecr", { rules: [rule(idle, { type: "expire" })] }).map(({ at }) => at)).toEqual([
      "rules[0].action.type",
    ]);
  });
});

// https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview, "Policy application order"
test("Artifact Registry: what is to be kept is kept from every policy that deletes", () => {
  const document = {
    cleanupPolicies: {
      "delete-old": { action: "DELETE", condition: { tagState: "ANY", olderThan: "8640000s" } },
      "keep-version": { action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["2.0.6"] } },
      "delete-tag": { action: "DELETE", condition: { tagState: "TAGGED", tagPrefixes: ["default"] } },
    },
  };
  const images = [image(1, 120, "2.0.6-a"), image(2, 120, "1.0"), image(3, 1, "default"), image(4, 1, "other")];
  expect(gone("artifact-registry", document, images)).toEqual(["1.0", "default"]);
});

// https://docs.gitlab.com/user/packages/container_registry/reduce_container_registry_storage/
describe("GitLab: cleanup policy", () => {
  const tags = ["v1.0", "v", "main", "release", "release-1", "latest", "dev", "other-main"];
  const images = tags.map((tag, i) => image(i + 1, 20 + i, tag));

  test.each([
    [".*", ["dev", "main", "other-main", "release", "release-1", "v", "v1.0"]],
    ["v.+", ["v1.0"]],
    ["main", ["main"]],
    ["release.*", ["release", "release-1"]],
    ["(?:v.+|main|release.*)", ["main", "release", "release-1", "v1.0"]],
  ])("regex pattern example %s", (pattern, deleted) => {
    const policy = { enabled: true, cadence: "1d", keep_n: null, older_than: null, name_regex: pattern };
    expect(gone("gitlab", policy, images)).toEqual(deleted);
  });

  test("the example of its API: of what is not kept, the newest stays, and what is not old", () => {
    const policy = {
      cadence: "1month",
      enabled: true,
      keep_n: 1,
      older_than: "14d",
      name_regex: ".*",
      name_regex_keep: ".*-main",
    };
    expect(gone("gitlab", policy, images)).toEqual(["dev", "main", "release", "release-1", "v"]);
    expect(gone("gitlab", policy, [image(1, 1, "a"), image(2, 13, "b"), image(3, 15, "c")])).toEqual(["c"]);
  });
});

// https://learn.microsoft.com/azure/container-registry/container-registry-retention-policy
test("Azure: --status enabled --days 7 --type UntaggedManifests", () => {
  const images = [image(1, 8), image(2, 6), image(3, 8, "v1")];
  expect(gone("acr", { status: "enabled", days: 7 }, images)).toEqual([digest(1)]);
});

// https://docs.redhat.com/en/documentation/red_hat_quay, "Red Hat Quay auto-pruning overview"
test.each([
  [{ method: "number_of_tags", value: 10 }, 2],
  [{ method: "creation_date", value: "7d" }, 5],
] as const)("Quay: %j", (policy, count) => {
  const images = Array.from({ length: 12 }, (_, i) => image(i + 1, i + 0.5, `t${i}`));
  expect(gone("quay", { policies: [policy] }, images)).toHaveLength(count);
});
