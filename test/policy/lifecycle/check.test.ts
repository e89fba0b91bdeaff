import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkDocument, pathOf, requireDocument, requireRead } from "../../../src/policy/lifecycle/check.ts";
import { lifecycleDialects, type LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import { formatPath } from "../../../src/document/fault.ts";
import { parseYaml } from "../../../src/document/yaml.ts";
import { guessDialect } from "../../../src/policy/lifecycle/guess.ts";
import { documents } from "./samples.ts";

/** The places of what is wrong; each is a path that can be looked up. */
const places = (dialect: LifecycleDialect, document: unknown): readonly string[] => {
  const found = checkDocument(dialect, document).map(({ at }) => at);
  expect(found.map((at) => formatPath(pathOf(at)))).toEqual(found);
  return found;
};

const any = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 10 };
const untagged = { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 10 };
const tagged = { tagStatus: "tagged", tagPatternList: ["dev-*"], countType: "imageCountMoreThan", countNumber: 10 };
const expire = { type: "expire" };
const ecr = (...selections: readonly object[]): object => ({
  rules: selections.map((selection, i) => ({ rulePriority: i + 1, selection, action: expire })),
});
const archived = {
  tagStatus: "any",
  storageClass: "archive",
  countType: "sinceImageTransitioned",
  countUnit: "days",
  countNumber: 90,
};

describe("ECR", () => {
  test.each([
    [ecr(any)],
    [ecr(tagged, untagged, any)],
    [ecr(any, archived)],
    [{ rules: [{ rulePriority: 7, selection: any, action: { type: "transition", targetStorageClass: "archive" } }] }],
    [ecr({ ...tagged, tagPatternList: ["*test*1*2*3", "test*1*2*3*"] })],
  ])("takes %j", (document) => expect(checkDocument("ecr", document)).toEqual([]));

  test.each<readonly [document: unknown, ...at: string[]]>([
    [ecr(any, untagged), "rules[0].rulePriority"],
    [ecr(), "rules"],
    [ecr(any, any), "rules[1]"],
    [ecr(untagged, untagged), "rules[1]"],
    [
      {
        rules: [
          { rulePriority: 1, selection: any, action: expire },
          { rulePriority: 1, selection: untagged, action: expire },
        ],
      },
      "rules[1].rulePriority",
    ],
    [{ rules: [{ rulePriority: 0, selection: any, action: expire }] }, "rules[0].rulePriority"],
    [ecr({ ...tagged, tagPatternList: undefined }), "rules[0].selection"],
    [ecr({ ...tagged, tagPrefixList: ["v"] }), "rules[0].selection"],
    [ecr({ ...tagged, tagPatternList: [] }), "rules[0].selection.tagPatternList"],
    [ecr({ ...tagged, tagPatternList: ["a*b*c*d*e*f"] }), "rules[0].selection.tagPatternList[0]"],
    [
      ecr({ ...tagged, tagPatternList: [undefined], tagPrefixList: ["dev-*"] }),
      "rules[0].selection",
      "rules[0].selection.tagPatternList[0]",
      "rules[0].selection.tagPrefixList[0]",
    ],
    [ecr({ ...untagged, tagPatternList: ["dev-*"] }), "rules[0].selection.tagPatternList"],
    [ecr({ ...any, countUnit: "days" }), "rules[0].selection.countUnit"],
    [ecr({ ...untagged, countUnit: undefined }), "rules[0].selection.countUnit"],
    [ecr({ ...untagged, countUnit: "hours" }), "rules[0].selection.countUnit"],
    [ecr({ ...any, countNumber: 0 }), "rules[0].selection.countNumber"],
    [ecr({ ...any, countNumber: "10" }), "rules[0].selection.countNumber"],
    [ecr({ ...archived, countNumber: 30 }), "rules[0].selection.countNumber"],
    [ecr({ ...archived, storageClass: undefined }), "rules[0].selection.storageClass"],
    [ecr({ ...any, storageClass: "archive" }), "rules[0].selection.storageClass"],
    [ecr({ ...untagged, countType: "sinceImagePulled" }), "rules[0].action.type"],
    [
      { rules: [{ rulePriority: 1, selection: any, action: { type: "transition" } }] },
      "rules[0].action.targetStorageClass",
    ],
    [
      {
        rules: [
          { rulePriority: 1, selection: archived, action: { type: "transition", targetStorageClass: "archive" } },
        ],
      },
      "rules[0].action",
    ],
    [
      { rules: [{ rulePriority: 1, selection: any, action: { type: "expire", targetStorageClass: "archive" } }] },
      "rules[0].action.targetStorageClass",
    ],
    [{ rules: [{ rulePriority: 1, selection: any, action: expire, enabled: true }] }, "rules[0].enabled"],
    [ecr(...Array.from({ length: 51 }, (_, i) => ({ ...tagged, tagPatternList: [`v${i}-*`] }))), "rules"],
    [{ rules: "none", version: 1 }, "version", "rules"],
    [
      ecr(
        { ...tagged, tagPrefixList: ["a", "b"], tagPatternList: undefined },
        { ...tagged, tagPrefixList: ["b", "a"], tagPatternList: undefined },
      ),
      "rules[1].selection.tagPrefixList",
    ],
    [{ rules: [{ rulePriority: 1, description: "x".repeat(31_000), selection: any, action: expire }] }, ""],
  ])("refuses %j", (document, ...at) => expect(places("ecr", document)).toEqual(at));
});

const policy = (one: object): object => ({ cleanupPolicies: { old: one } });
const condition = { tagState: "TAGGED", olderThan: "2592000s" };

describe("Artifact Registry", () => {
  test.each([
    [{ cleanupPolicies: {}, cleanupPolicyDryRun: true }],
    [policy({ id: "old", action: "DELETE", condition })],
    [policy({ action: "KEEP", mostRecentVersions: { keepCount: 5, packageNamePrefixes: ["a"] } })],
  ])("takes %j", (document) => expect(checkDocument("artifact-registry", document)).toEqual([]));

  test.each<readonly [document: unknown, ...at: string[]]>([
    [policy({ action: "delete", condition }), "cleanupPolicies.old.action"],
    [policy({ action: "DELETE" }), "cleanupPolicies.old"],
    [policy({ action: "KEEP", condition, mostRecentVersions: { keepCount: 5 } }), "cleanupPolicies.old"],
    [policy({ action: "DELETE", mostRecentVersions: { keepCount: 5 } }), "cleanupPolicies.old.mostRecentVersions"],
    [
      policy({ action: "KEEP", mostRecentVersions: { keepCount: 0 } }),
      "cleanupPolicies.old.mostRecentVersions.keepCount",
    ],
    [policy({ action: "DELETE", condition: { olderThan: "30d" } }), "cleanupPolicies.old.condition.olderThan"],
    [policy({ action: "DELETE", condition: { tagState: "tagged" } }), "cleanupPolicies.old.condition.tagState"],
    [policy({ action: "DELETE", condition: { tagPrefixes: ["v"] } }), "cleanupPolicies.old.condition.tagPrefixes"],
    [
      policy({ action: "DELETE", condition: { tagState: "TAGGED", tagPrefixes: "v" } }),
      "cleanupPolicies.old.condition.tagPrefixes",
    ],
    [policy({ id: "other", action: "DELETE", condition }), "cleanupPolicies.old.id"],
    [{ cleanupPolicies: { Old: { action: "DELETE", condition } } }, "cleanupPolicies.Old"],
    [
      {
        cleanupPolicies: Object.fromEntries(
          Array.from({ length: 11 }, (_, i) => [`p${i}`, { action: "DELETE", condition }]),
        ),
      },
      "cleanupPolicies",
    ],
    [[{ name: "old", action: { type: "Delete" }, condition: { olderThan: "30d" } }], ""],
  ])("refuses %j", (document, ...at) => expect(places("artifact-registry", document)).toEqual(at));

  test("says in seconds what was said in days", () => {
    const faults = checkDocument("artifact-registry", policy({ action: "DELETE", condition: { olderThan: "30d" } }));
    expect(faults[0]?.message).toContain('"2592000s"');
  });
});

const rule = {
  action: "retain",
  template: "latestPushedK",
  params: { latestPushedK: 10 },
  tag_selectors: [{ kind: "doublestar", decoration: "matches", pattern: "**" }],
  scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "**" }] },
};
const harbor = (one: object, more: object = {}): object => ({
  algorithm: "or",
  rules: [{ ...rule, ...one }],
  trigger: { kind: "Schedule", settings: { cron: "0 0 0 * * *" } },
  ...more,
});
const selector = (one: object): object => ({ tag_selectors: [{ ...rule.tag_selectors[0], ...one }] });

const others: readonly (readonly [dialect: LifecycleDialect, document: unknown, ...at: string[]])[] = [
  ["acr", { days: 0, status: "enabled" }],
  ["acr", { days: 366 }, "days"],
  ["acr", { days: 1.5, status: "on" }, "days", "status"],
  ["acr", {}, "days"],
  ["harbor", harbor({})],
  ["harbor", harbor({ template: "always", params: {} })],
  ["harbor", harbor(selector({ extras: '{"untagged":true}' }), { scope: { level: "project", ref: 1 } })],
  ["harbor", harbor({ template: "keepAll" }), "rules[0].template"],
  ["harbor", harbor({ params: { k: 5 } }), "rules[0].params.k"],
  ["harbor", harbor({ params: { latestPushedK: -1 } }), "rules[0].params.latestPushedK"],
  ["harbor", harbor({ action: "delete" }), "rules[0].action"],
  ["harbor", harbor(selector({ pattern: "a,b" })), "rules[0].tag_selectors[0].pattern"],
  ["harbor", harbor(selector({ pattern: "{a,b" })), "rules[0].tag_selectors[0].pattern"],
  ["harbor", harbor(selector({ pattern: "" })), "rules[0].tag_selectors[0].pattern"],
  ["harbor", harbor(selector({ decoration: "repoMatches" })), "rules[0].tag_selectors[0].decoration"],
  ["harbor", harbor(selector({ extras: "untagged" })), "rules[0].tag_selectors[0].extras"],
  ["harbor", harbor({ tag_selectors: [] }), "rules[0].tag_selectors"],
  ["harbor", harbor({ scope_selectors: {} }), "rules[0].scope_selectors.repository"],
  ["harbor", harbor({}, { trigger: { kind: "Schedule", settings: { cron: "0 0 * * *" } } }), "trigger.settings.cron"],
  ["harbor", harbor({}, { algorithm: "and" }), "algorithm"],
  ["harbor", harbor({}, { rules: Array.from({ length: 16 }, () => rule) }), "rules"],
  ["harbor", harbor({}, { scope: { level: "system", ref: 0 } }), "scope.level", "scope.ref"],
  ["gitlab", { enabled: true, cadence: "7d", keep_n: 10, older_than: "14d", name_regex: ".*", name_regex_keep: null }],
  ["gitlab", { cadence: "2d" }, "cadence"],
  ["gitlab", { keep_n: 7 }, "keep_n"],
  ["gitlab", { older_than: "10d" }, "older_than"],
  ["gitlab", { name_regex: "(" }, "name_regex"],
  ["gitlab", { name_regex: "(?!main).*" }, "name_regex"],
  ["gitlab", { name_regex_keep: String.raw`(a)\1` }, "name_regex_keep"],
  ["gitlab", { name_regex: "(?P<x>a)|(?i)b" }, "name_regex"],
  ["gitlab", { name_regex: String.raw`(?i)\Av(?P<n>\d)\z` }],
  ["gitlab", { keepN: 5 }, "keepN"],
  ["gitlab", {}, ""],
  ["quay", { policies: [{ method: "number_of_tags", value: 10, uuid: "u" }] }],
  ["quay", { policies: [{ method: "creation_date", value: "7d", tagPattern: "^(?!main)", tagPatternMatches: false }] }],
  ["quay", { policies: [] }, "policies"],
  ["quay", { policies: [{ method: "creation_date", value: 7 }] }, "policies[0].value"],
  ["quay", { policies: [{ method: "number_of_tags", value: "10" }] }, "policies[0].value"],
  ["quay", { policies: [{ method: "age", value: 1 }] }, "policies[0].method"],
  ["quay", { policies: [{ method: "number_of_tags", value: 1, tagPattern: "[" }] }, "policies[0].tagPattern"],
];

test.each(others.map(([dialect, document, ...at]) => ({ dialect, document, at })))(
  "$dialect: $document",
  ({ dialect, document, at }) => expect(places(dialect, document)).toEqual(at),
);

describe.each(lifecycleDialects)("%s", (dialect) => {
  test("tells what is wrong with anything, and throws nothing", () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.anything(),
      documents[dialect].map((one) => ({ ...(one as object), more: null })),
    );
    fc.assert(
      fc.property(anything, (document) => {
        expect(checkDocument(dialect, document).length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  test("is known by its documents", () => {
    fc.assert(
      fc.property(documents[dialect], (document) => {
        expect(guessDialect(document)).toBe(dialect);
      }),
    );
  });

  test("says where in a text it is", () => {
    expect(() => requireRead(dialect, parseYaml("\ntext", "a.json"))).toThrow(
      expect.objectContaining({
        message: "a.json:2:1: it has to be an object",
        hint: `it was read as a policy of ${dialect}`,
      }),
    );
  });

  test("says all that is wrong in one error", () => {
    expect(() => requireDocument(dialect, null)).toThrow(
      expect.objectContaining({
        code: "INVALID",
        message: expect.stringContaining(`policy that ${dialect} takes: it has to be an object`),
      }),
    );
  });
});

test.each([[{}], [[]], ["text"], [null], [{ rules: [] }], [{ enabled: true }], [{ days: 3, policies: [] }]])(
  "nobody's is %j",
  (document) => expect(guessDialect(document)).toBeUndefined(),
);
