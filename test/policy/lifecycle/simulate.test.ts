import { describe, expect, test } from "vitest";
import type { LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { goes, now } from "./samples.ts";

const day = 86_400_000;
const at = (days: number): string => new Date(now - days * day).toISOString();
const digest = (n: number) => `sha256:${String(n).padStart(64, "0")}` as const;
/** An image with these tags, so many days old. */
const image = (age: number, tags: string, more: Partial<LifecycleImage> = {}): LifecycleImage => ({
  digest: digest(age),
  tags: tags.split(" ").filter(Boolean),
  pushed: at(age),
  ...more,
});
const gone = (
  dialect: LifecycleDialect,
  document: unknown,
  images: readonly LifecycleImage[],
  repository = "library/app",
): readonly string[] => [...goes(simulateLifecycle(dialect, document, images, { now, repository }))].toSorted();

const ecr = (...rules: readonly (readonly [object, object])[]): object => ({
  rules: rules.map(([selection, count], i) => ({
    rulePriority: i + 1,
    description: "long enough to be a policy of ECR's liking",
    selection: { ...selection, ...count },
    action: { type: "expire" },
  })),
});
const moreThan = (countNumber: number): object => ({ countType: "imageCountMoreThan", countNumber });
const older = (countNumber: number): object => ({ countType: "sinceImagePushed", countUnit: "days", countNumber });
const tagged = (...tagPatternList: string[]): object => ({ tagStatus: "tagged", tagPatternList });

describe("ECR (userguide/lifecycle_policy_examples.html)", () => {
  test("several patterns are for images that have tags for all of them", () => {
    const images = [image(40, "alpha1 beta1"), image(50, "alpha2"), image(60, "beta2")];
    expect(gone("ecr", ecr([tagged("alpha*", "beta*"), older(30)]), images)).toEqual(["alpha1", "beta1"]);
  });

  test("what one rule selects is nothing to those after it, though they count it", () => {
    const images = [image(3, "prod-3"), image(2, "prod-2"), image(1, "prod-1 dev-1"), image(4, "dev-2")];
    const policy = ecr([tagged("prod*"), moreThan(2)], [{ tagStatus: "any" }, moreThan(1)]);
    expect(gone("ecr", policy, images)).toEqual(["dev-2", "prod-3"]);
    const first = ecr([tagged("prod*"), older(36_500)], [{ tagStatus: "any" }, older(1)]);
    expect(gone("ecr", first, images)).toEqual(["dev-2"]);
  });

  test("what an index is made of stays, and counts", () => {
    const children = [digest(10), digest(11)];
    const images = [image(9, "v1", { children }), image(10, ""), image(11, ""), image(12, "")];
    expect(gone("ecr", ecr([{ tagStatus: "any" }, moreThan(1)]), images)).toEqual([digest(12)]);
    expect(gone("ecr", ecr([{ tagStatus: "untagged" }, older(1)]), images)).toEqual([digest(12)]);
  });

  test("archived images are not looked at; what is to be archived is not deleted", () => {
    const policy = {
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: "any", countType: "sinceImagePulled", countUnit: "days", countNumber: 30 },
          action: { type: "transition", targetStorageClass: "archive" },
        },
      ],
    };
    const images = [image(50, "a"), image(60, "b", { pulled: at(2) }), image(70, "c", { state: "archived" })];
    const decisions = simulateLifecycle("ecr", policy, images, { now, repository: "app" });
    expect(decisions.map(({ image: { tags }, action }) => [tags[0], action])).toEqual([
      ["a", "archive"],
      ["b", "keep"],
    ]);
  });
});

describe("Artifact Registry (docs/repositories/cleanup-policy-overview)", () => {
  const policy = (one: object): object => ({ cleanupPolicies: one });
  const deleteOld = { action: "DELETE", condition: { olderThan: "8640000s" } };

  test("what is to be kept is kept, whatever deletes it", () => {
    const keep = { action: "KEEP", condition: { versionNamePrefixes: [digest(150)] } };
    const byTag = { action: "DELETE", condition: { tagState: "TAGGED", tagPrefixes: ["default"] } };
    const images = [image(120, "default"), image(150, "default2"), image(20, "patch")];
    expect(gone("artifact-registry", policy({ "delete-old": deleteOld, keep, "by-tag": byTag }), images)).toEqual([
      "default",
    ]);
  });

  test("every manifest counts among the most recent, and what an index is made of cannot go", () => {
    const images = [image(101, "v2", { children: [digest(102)] }), image(102, ""), image(103, "v1")];
    const keep = { action: "KEEP", mostRecentVersions: { keepCount: 1 } };
    expect(gone("artifact-registry", policy({ "delete-old": deleteOld, keep }), images)).toEqual(["v1"]);
  });

  test.each([
    ["project/repository/app", true],
    ["example.com/project/repository/app", true],
    ["project/app", true],
    ["project/repository/other", false],
  ])("packages of %s are known by their own name", (repository, isMeant) => {
    const condition = { packageNamePrefixes: ["app"] };
    const images = [image(1, "v1")];
    expect(gone("artifact-registry", policy({ all: { action: "DELETE", condition } }), images, repository)).toEqual(
      isMeant ? ["v1"] : [],
    );
  });
});

describe("Harbor (src/pkg/retention)", () => {
  const rule = (
    template: string,
    n: number,
    ...selectors: readonly (readonly [string, string, boolean?])[]
  ): object => ({
    action: "retain",
    template,
    params: { [template]: n },
    tag_selectors: selectors.map(([decoration, pattern, untagged]) => ({
      kind: "doublestar",
      decoration,
      pattern,
      ...(untagged !== undefined && { extras: JSON.stringify({ untagged }) }),
    })),
    scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "{app,web/**}" }] },
  });
  const harbor = (...rules: readonly object[]): object => ({
    algorithm: "or",
    rules,
    trigger: { kind: "Schedule", settings: { cron: "" } },
  });

  test("what was never pulled goes, however new it is", () => {
    const images = [image(0.1, "new"), image(50, "used", { pulled: at(3) })];
    expect(gone("harbor", harbor(rule("nDaysSinceLastPull", 7, ["matches", "**"])), images)).toEqual(["new"]);
  });

  test("one tag that is kept keeps all of its image", () => {
    const images = [image(5, "v1 dev-1"), image(6, "dev-2")];
    expect(gone("harbor", harbor(rule("always", 0, ["matches", "v*", false])), images)).toEqual(["dev-2"]);
  });

  test("a repository that no rule is for is left alone", () => {
    const policy = harbor(rule("latestPushedK", 0, ["matches", "**"]));
    expect(gone("harbor", policy, [image(5, "v1")], "library/other")).toEqual([]);
    expect(gone("harbor", policy, [image(5, "v1")], "library/web/one")).toEqual(["v1"]);
  });

  test.each<readonly [readonly [string, string, boolean?], readonly string[]]>([
    [["matches", "dev-*"], ["v1"]],
    [
      ["matches", "dev-*", false],
      [digest(7), "v1"],
    ],
    [["excludes", "dev-*"], ["dev-1"]],
    [
      ["excludes", "dev-*", true],
      ["dev-1", digest(7)],
    ],
    [["matches", "{dev-?,v[0-9]}", false], [digest(7)]],
  ])("%j retains all but %j", (selector, left) => {
    const images = [image(5, "v1"), image(6, "dev-1"), image(7, "")];
    expect(gone("harbor", harbor(rule("always", 0, selector)), images)).toEqual(left);
  });

  test("the newest are those of a rule's own selection; immutable ones stay", () => {
    const images = [
      image(1, "v3"),
      image(2, "dev-9"),
      image(3, "v2"),
      image(4, "v1", { immutable: true }),
      image(5, "v0"),
    ];
    expect(gone("harbor", harbor(rule("latestPushedK", 2, ["matches", "v*"])), images)).toEqual(["dev-9", "v0"]);
    expect(gone("harbor", harbor({ ...rule("latestPushedK", 0, ["matches", "**"]), disabled: true }), images)).toEqual(
      [],
    );
  });

  // src/pkg/artifact/dao/dao.go lists what has a tag or is no part; src/controller/artifact/controller.go refuses to delete parts.
  test("a part of an index counts where it has a tag, and stays while its index does", () => {
    const indexes = [image(1, "v2", { children: [digest(2), digest(4)] }), image(3, "v1")];
    const images = [...indexes, image(2, "v2-amd64"), image(4, "")];
    expect(gone("harbor", harbor(rule("latestPushedK", 2, ["matches", "v*"])), images)).toEqual(["v1"]);
    expect(gone("harbor", harbor(rule("latestPushedK", 0, ["matches", "v*"])), images)).toEqual(["v1", "v2"]);
  });
});

describe("GitLab (CleanupTagsBaseService)", () => {
  const images = [image(1, "main latest"), image(2, "dev-1"), image(3, "dev-2"), image(40, "dev-3"), image(50, "")];

  test("latest and what is to be kept stay, then the newest, then the young", () => {
    const policy = {
      enabled: true,
      cadence: "1d",
      keep_n: 1,
      older_than: "7d",
      name_regex: ".*",
      name_regex_keep: "main",
    };
    expect(gone("gitlab", policy, images)).toEqual(["dev-3"]);
    expect(gone("gitlab", { ...policy, older_than: null }, images)).toEqual(["dev-2", "dev-3"]);
    expect(gone("gitlab", { ...policy, enabled: false }, images)).toEqual([]);
    expect(gone("gitlab", { enabled: true, cadence: "1d", keep_n: 1 }, images)).toEqual([]);
  });

  test("of a|b without a group, each side is anchored at one end only", () => {
    const policy = { enabled: true, cadence: "1d", name_regex: "dev|1" };
    expect(gone("gitlab", policy, images)).toEqual(["dev-1", "dev-2", "dev-3"]);
    expect(gone("gitlab", { ...policy, name_regex: "(dev|1)" }, images)).toEqual([]);
  });
});

describe("Quay (data/model/oci/tag.py)", () => {
  const images = [
    image(1, "a1"),
    image(2, "b1 a2"),
    image(30, "a3"),
    image(40, "", {}),
    image(50, "a4", { immutable: true }),
  ];

  test("policies take tags each by itself, where their pattern is found", () => {
    const byNumber = { method: "number_of_tags", value: 1, tagPattern: "a" };
    expect(gone("quay", { policies: [byNumber] }, images)).toEqual(["a2", "a3"]);
    const byAge = { method: "creation_date", value: "36h", tagPattern: "^a", tagPatternMatches: false };
    expect(gone("quay", { policies: [byAge] }, images)).toEqual(["b1"]);
    expect(gone("quay", { policies: [byNumber, byAge] }, images)).toEqual(["a2", "a3", "b1"]);
    expect(gone("quay", { policies: [{ method: "creation_date", value: "2w" }] }, images)).toEqual(["a3"]);
  });
});

describe("ACR", () => {
  test("what has no tag goes, unless it is locked, young, or part of an index", () => {
    const images = [
      image(20, "v1", { children: [digest(21)] }),
      image(21, ""),
      image(22, ""),
      image(23, "", { state: "locked" }),
      image(3, ""),
    ];
    expect(gone("acr", { days: 7 }, images)).toEqual([digest(22)]);
    expect(gone("acr", { days: 7, status: "disabled" }, images)).toEqual([]);
  });
});

describe("times", () => {
  const { pushed: _, ...untold } = image(100, "v1", { created: "1970-01-01T00:00:00Z" });
  const options = { now, repository: "app" };

  test("without one of the push, only who says so goes by that of the build", () => {
    const run = (useCreated: boolean) => () =>
      simulateLifecycle("quay", { policies: [{ method: "creation_date", value: "1d" }] }, [untold], {
        ...options,
        useCreated,
      });
    expect(run(false)).toThrow(
      expect.objectContaining({ code: "INVALID", hint: expect.stringContaining("--use-created") }),
    );
    expect([...goes(run(true)())]).toEqual(["v1"]);
  });

  test("an image that is listed once for each tag is one, and as new as any of them", () => {
    const twice = [image(100, "old"), { ...image(2, "new"), digest: digest(100) }];
    expect(gone("ecr", ecr([{ tagStatus: "any" }, older(30)]), twice)).toEqual([]);
  });

  test("a pattern that could take for ever is refused", () => {
    const policy = { policies: [{ method: "creation_date", value: "1d", tagPattern: "^(a+)+$" }] };
    expect(() => gone("quay", policy, [image(3, `${"a".repeat(60)}b`)])).toThrow(/could take for ever/);
  });
});
