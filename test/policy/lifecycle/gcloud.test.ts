import { expect, test } from "vitest";
import { parseYaml } from "../../../src/document/yaml.ts";
import { fromGcloud } from "../../../src/policy/lifecycle/artifact-registry/gcloud.ts";
import { checkDocument, requireRead } from "../../../src/policy/lifecycle/check.ts";
import { guessDialect } from "../../../src/policy/lifecycle/guess.ts";

/** https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy */
const documented = `[
  {
    "name": "delete-prerelease",
    "action": {"type": "Delete"},
    "condition": {"tagState": "tagged", "tagPrefixes": ["alpha", "v0"], "olderThan": "30d"}
  },
  {
    "name": "keep-tagged-release",
    "action": {"type": "Keep"},
    "condition": {"tagState": "tagged", "tagPrefixes": ["release"], "packageNamePrefixes": ["webapp", "mobile"]}
  },
  {
    "name": "keep-minimum-versions",
    "action": {"type": "Keep"},
    "mostRecentVersions": {"packageNamePrefixes": ["webapp", "mobile", "sandbox"], "keepCount": 5}
  }
]`;

test("what Google documents for gcloud is a document of the API", () => {
  const { value } = fromGcloud(parseYaml(documented, "FILE"));
  expect(value).toEqual({
    cleanupPolicies: {
      "delete-prerelease": {
        action: "DELETE",
        condition: { tagState: "TAGGED", tagPrefixes: ["alpha", "v0"], olderThan: "2592000s" },
      },
      "keep-tagged-release": {
        action: "KEEP",
        condition: { tagState: "TAGGED", tagPrefixes: ["release"], packageNamePrefixes: ["webapp", "mobile"] },
      },
      "keep-minimum-versions": {
        action: "KEEP",
        mostRecentVersions: { packageNamePrefixes: ["webapp", "mobile", "sandbox"], keepCount: 5 },
      },
    },
  });
  expect(guessDialect(value)).toBe("artifact-registry");
  expect(checkDocument("artifact-registry", value)).toEqual([]);
});

test.each([
  [
    "[{name: a, action: {type: Delete}, condition: {olderThan: 30 days}}]",
    /^FILE:1:59: cleanupPolicies\.a\.condition\.old/,
  ],
  ["[{name: a, action: {type: Drop}, condition: {}}]", /^FILE:1:20: cleanupPolicies\.a\.action: /],
  ["[{name: a, action: {type: Keep, at: once}, condition: {}}]", /^FILE:1:20: cleanupPolicies\.a\.action: /],
  ["[{name: a, action: {type: Keep}, condition: {}, on: no}]", /^FILE:1:53: cleanupPolicies\.a\.on: is not known/],
  ["[{name: a, action: {type: Keep}}, {name: a, action: {type: Keep}}]", /^FILE:1:42: \[1\]\.name: is another one's/],
  ["[]", /^FILE:1:1: it is a list, and not as gcloud reads them/],
  ["[{name: a}]", /^FILE:1:1: it is a list, and not as gcloud reads them/],
])("%s is refused with its place", (text, message) => {
  expect(() => requireRead("artifact-registry", fromGcloud(parseYaml(text, "FILE")))).toThrow(message);
});
