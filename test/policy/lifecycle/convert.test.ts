import { describe, expect, test } from "vitest";
import { convertLifecycle } from "../../../src/policy/lifecycle/convert.ts";
import type { LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import { ecrPolicy, retention } from "../../cli/lifecycle-scene.ts";

const gitlab = { enabled: true, cadence: "1d", keep_n: 10, older_than: "30d", name_regex: "(dev|review)-.*" };
const quay = { policies: [{ method: "creation_date", value: "30d", tagPattern: "^dev-" }] };
const acr = { days: 7, status: "enabled" };
const google = {
  cleanupPolicies: {
    old: { id: "old", action: "DELETE", condition: { tagState: "ANY", olderThan: "2592000s" } },
    releases: { id: "releases", action: "KEEP", condition: { tagState: "TAGGED", tagPrefixes: ["release-"] } },
  },
};

type Case = readonly [
  from: LifecycleDialect,
  to: LifecycleDialect,
  document: unknown,
  converted: unknown,
  lossesAt: readonly string[],
];

const plain: readonly Case[] = [
  [
    "ecr",
    "gitlab",
    ecrPolicy,
    { enabled: true, cadence: "1d", keep_n: null, older_than: "14d", name_regex: "dev-.*", name_regex_keep: null },
    ["rules[0]", "rules[1]"],
  ],
  ["ecr", "acr", ecrPolicy, undefined, ["rules[0]", "rules[1]"]],
  [
    "artifact-registry",
    "ecr",
    google,
    {
      rules: [
        {
          rulePriority: 1,
          description: "keeps: cleanupPolicies.releases",
          selection: {
            tagStatus: "tagged",
            tagPatternList: ["release-*"],
            countType: "sinceImagePushed",
            countUnit: "days",
            countNumber: 36_500,
          },
          action: { type: "expire" },
        },
        {
          rulePriority: 2,
          description: "cleanupPolicies.old",
          selection: { tagStatus: "any", countType: "sinceImagePushed", countUnit: "days", countNumber: 30 },
          action: { type: "expire" },
        },
      ],
    },
    [],
  ],
  ["artifact-registry", "acr", google, { days: 30, status: "enabled" }, ["cleanupPolicies.old"]],
  [
    "acr",
    "artifact-registry",
    acr,
    {
      cleanupPolicies: {
        "delete-1": { id: "delete-1", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "604800s" } },
      },
    },
    ["days"],
  ],
  [
    "gitlab",
    "quay",
    { ...gitlab, keep_n: null, name_regex: ".*", name_regex_keep: "main" },
    {
      policies: [{ method: "creation_date", value: "30d", tagPattern: "^(?:latest|main)$", tagPatternMatches: false }],
    },
    [],
  ],
  [
    "quay",
    "gitlab",
    quay,
    { enabled: true, cadence: "1d", keep_n: null, older_than: "30d", name_regex: "dev-.*", name_regex_keep: null },
    [],
  ],
  ["gitlab", "ecr", gitlab, undefined, ["name_regex"]],
  ["harbor", "ecr", retention, undefined, ["rules[0]"]],
];

const simple: readonly Case[] = [
  [
    "harbor",
    "ecr",
    retention,
    {
      rules: [
        {
          rulePriority: 1,
          description: "rules[0]",
          selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 10 },
          action: { type: "expire" },
        },
      ],
    },
    [],
  ],
  ["harbor", "quay", retention, { policies: [{ method: "number_of_tags", value: 10 }] }, ["rules[0]"]],
  [
    "quay",
    "artifact-registry",
    quay,
    {
      cleanupPolicies: {
        "delete-1": {
          id: "delete-1",
          action: "DELETE",
          condition: { tagState: "TAGGED", tagPrefixes: ["dev-"], olderThan: "2592000s" },
        },
      },
    },
    [],
  ],
];

const places = (losses: readonly { readonly at: string }[]): readonly string[] =>
  [...new Set(losses.map(({ at }) => at))].toSorted();

describe("a policy in another dialect", () => {
  test.each(plain)("of %s for %s", (from, to, document, converted, lossesAt) => {
    const { document: found, losses } = convertLifecycle(from, to, document);
    expect(found).toEqual(converted);
    expect(places(losses)).toEqual(lossesAt);
  });

  test.each(simple)("of %s for %s, where images are simple", (from, to, document, converted, lossesAt) => {
    const { document: found, losses } = convertLifecycle(from, to, document, { simpleImages: true });
    expect(found).toEqual(converted);
    expect(places(losses)).toEqual(lossesAt);
  });

  test("of its own dialect is itself", () => {
    expect(convertLifecycle("ecr", "ecr", ecrPolicy)).toEqual({ document: ecrPolicy, losses: [] });
  });

  test("that is none is refused with its faults", () => {
    expect(() => convertLifecycle("acr", "ecr", { days: "7" })).toThrow(/acr takes: days has to be a whole number/);
  });

  test("numbers that the other does not have are the next that keeps more, and told", () => {
    const policy = { policies: [{ method: "creation_date", value: "20d" }] };
    const { document, losses } = convertLifecycle("quay", "gitlab", policy);
    expect(document).toMatchObject({ older_than: "30d", name_regex: ".*" });
    expect(losses.map(({ message }) => message)).toEqual([
      "waits for 20 days: with GitLab 30, the next that it has",
      "deletes latest too: GitLab never does",
    ]);
  });
});
