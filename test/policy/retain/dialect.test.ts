import { describe, expect, test } from "vitest";
import { planRetention } from "../../../src/policy/retain/plan-retention.ts";
import type { DialectPolicy } from "../../../src/policy/retain/dialect.ts";
import { retention } from "../../cli/lifecycle-scene.ts";
import { inventory, now, type Sketch } from "./scene.ts";

/** What a policy of a service's own takes: the tags of manifests, `TAG alone` for tags, and notes. */
function taken(policy: DialectPolicy, of: Readonly<Record<string, Sketch>>) {
  const { steps, notes } = planRetention(policy, { inventories: [inventory(of)] }, now);
  const going = steps.map((step) =>
    step.do === "delete manifest" ? step.tags.join("+") || "untagged" : `${step.at.split(":")[1]} alone`,
  );
  return { going: going.sort(), notes: notes.map(({ level, message }) => `${level}: ${message}`) };
}

const ecr = (...rules: readonly object[]): DialectPolicy => ({
  dialect: "ecr",
  document: { rules: rules.map((selection, i) => ({ rulePriority: i + 1, selection, action: { type: "expire" } })) },
});
const since = (days: number) => ({ countType: "sinceImagePushed", countUnit: "days", countNumber: days });
const harbor = (template: string, number: number): DialectPolicy => ({
  dialect: "harbor",
  document: { ...retention, rules: [{ ...retention.rules[0], template, params: { [template]: number } }] },
});

describe("policies of services do elsewhere what they do there", () => {
  test("of ECR, an image goes with all its tags, and all patterns have to fit", () => {
    const policy = ecr({ tagStatus: "tagged", tagPatternList: ["dev-*", "*-amd64"], ...since(14) });
    const images = {
      both: { tags: ["dev-1", "x-amd64"], age: 20 },
      one: { tags: ["dev-2"], age: 20 },
      new: { tags: ["dev-3", "y-amd64"], age: 2 },
    };
    expect(taken(policy, images).going).toEqual(["dev-1+x-amd64"]);
  });

  test("of ECR, counts are of manifests, parts among them; what is selected by a rule before is nothing to the next", () => {
    const images = {
      first: { tags: ["v1"], age: 1, children: ["a", "b"] },
      a: { age: 1 },
      b: { age: 1 },
      second: { tags: ["v2"], age: 2 },
      third: { tags: ["keep-me"], age: 3 },
    };
    const counted = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 3 };
    expect(taken(ecr(counted), images).going).toEqual(["keep-me", "v2"]);
    const kept = { tagStatus: "tagged", tagPrefixList: ["keep"], countType: "imageCountMoreThan", countNumber: 1 };
    expect(taken(ecr(kept, counted), images).going).toEqual(["v2"]);
  });

  test("the parts of an index in an index count, too, and stay while that is a part", () => {
    const images = {
      outer: { tags: ["v1"], age: 2, children: ["inner"] },
      inner: { age: 2, children: ["part", "deep"] },
      deep: { age: 2 },
      part: { tags: ["v1-amd64"], age: 20 },
      old: { tags: ["v0"], age: 3 },
    };
    const counted = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 3 };
    expect(taken(ecr(counted), images).going).toEqual(["v0"]);
    expect(taken(ecr({ tagStatus: "any", ...since(2) }), images).going).toEqual(["v0"]);
    const whole = { tagStatus: "tagged", tagPatternList: ["v*"], ...since(1) };
    expect(taken(ecr(whole), { ...images, new: { tags: ["new"] } }).going).toEqual([
      "untagged",
      "untagged",
      "v0",
      "v1",
    ]);
  });

  test("untagged parts and attachments of what stays never go, whatever a policy says of untagged images", () => {
    const images = {
      index: { tags: ["1.0"], age: 1, children: ["part"] },
      part: { age: 90 },
      sbom: { age: 90, subject: "part" },
      moved: { age: 90 },
    };
    expect(taken(ecr({ tagStatus: "untagged", ...since(14) }), images).going).toEqual(["untagged"]);
    expect(taken({ dialect: "acr", document: { days: 7, status: "enabled" } }, images).going).toEqual(["untagged"]);
  });

  test("of Artifact Registry, Keep beats Delete", () => {
    const cleanupPolicies = {
      old: { id: "old", action: "DELETE", condition: { olderThan: "864000s" } },
      some: { id: "some", action: "KEEP", mostRecentVersions: { keepCount: 2 } },
    };
    const images = { a: { tags: ["a"], age: 20 }, b: { tags: ["b"], age: 30 }, c: { tags: ["c"], age: 40 } };
    expect(taken({ dialect: "artifact-registry", document: { cleanupPolicies } }, images).going).toEqual(["c"]);
  });

  test("of Harbor, what was never pulled goes by nDaysSinceLastPull, and that is reported", () => {
    const images = { fresh: { tags: ["fresh"], age: 1 }, used: { tags: ["used"], age: 50, pulled: 2 } };
    expect(taken(harbor("nDaysSinceLastPull", 10), images)).toEqual({
      going: ["fresh"],
      notes: ["warning: rules[0] does not retain what was never pulled, however new it is: fresh would go"],
    });
    expect(taken(harbor("nDaysSinceLastPush", 10), images)).toEqual({ going: ["used"], notes: [] });
  });

  test("of GitLab and Quay, tags go one by one", () => {
    const images = { twice: { tags: ["1.0", "dev-1"], age: 40 }, one: { tags: ["dev-2"], age: 50 } };
    const gitlab = { enabled: true, keep_n: null, older_than: "7d", name_regex: "dev-.*", name_regex_keep: "" };
    expect(taken({ dialect: "gitlab", document: gitlab }, images).going).toEqual(["dev-1 alone", "dev-2"]);
    const quay = { policies: [{ method: "number_of_tags", value: 1, tagPattern: "^dev" }] };
    expect(taken({ dialect: "quay", document: quay }, images).going).toEqual(["dev-2"]);
  });

  test("of zot, by its patterns; with deleteReferrers also what is attached to nothing any more", () => {
    const images = {
      old: { tags: ["1.0"], age: 40 },
      young: { tags: ["2.0"], age: 1 },
      other: { tags: ["dev-1"], age: 30 },
      lost: { age: 30, subject: "nobody" },
      sbom: { age: 40, subject: "young" },
    };
    const keepTags = [{ patterns: [".*\\.0"], mostRecentlyPushedCount: 1 }];
    const zot = (more: object): DialectPolicy => ({
      dialect: "zot",
      document: { policies: [{ repositories: ["**"], keepTags, ...more }] },
    });
    const note = "warning: policies[0].keepTags is for no tag like dev-1: with any entry at all, what fits none goes";
    expect(taken(zot({}), images)).toEqual({ going: ["1.0", "dev-1"], notes: [note] });
    expect(taken(zot({ deleteReferrers: true }), images)).toEqual({
      going: ["1.0", "dev-1", "untagged"],
      notes: [note],
    });
  });

  test("what would be archived there stays here", () => {
    const rule = {
      rulePriority: 1,
      selection: { tagStatus: "any", countType: "sinceImagePulled", countUnit: "days", countNumber: 30 },
    };
    const document = { rules: [{ ...rule, action: { type: "transition", targetStorageClass: "archive" } }] };
    const found = taken({ dialect: "ecr", document }, { old: { tags: ["old"], age: 90, pulled: 60 } });
    expect(found).toEqual({ going: [], notes: ["warning: 1 would be archived by the policy: here, they stay"] });
  });
});

test("a policy that its service would refuse is refused, and a registry that tells no times, too", () => {
  const wrong: DialectPolicy = { dialect: "ecr", document: { rules: [{ rulePriority: 1 }] } };
  expect(() => taken(wrong, {})).toThrow("this is no policy that ecr takes");
  const images = { a: { tags: ["a"], age: Number.NaN } };
  expect(taken(ecr({ tagStatus: "any", ...since(14) }), images)).toEqual({
    going: [],
    notes: [
      "refused: it is not known when a was pushed, and ages count from then; this registry does not tell it: a policy cannot be tried here",
    ],
  });
});

test("a policy that would leave nothing with a tag is held back", () => {
  const { going, notes } = taken(ecr({ tagStatus: "any", ...since(14) }), { a: { tags: ["a"], age: 20 } });
  expect(going).toEqual([]);
  expect(notes).toEqual([expect.stringContaining("refused: the policy would leave no image with a tag of 1")]);
});
