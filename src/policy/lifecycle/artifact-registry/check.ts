import { join, type FieldReader } from "../fields.ts";

/** Policies of one repository. */
export const mostPolicies = 10;

const conditionKeys = [
  "tagState",
  "tagPrefixes",
  "versionNamePrefixes",
  "packageNamePrefixes",
  "olderThan",
  "newerThan",
] as const;

/** Notes what the API refuses in a repository's `cleanupPolicies` and `cleanupPolicyDryRun`. */
export function checkArtifactRegistry(document: unknown, reader: FieldReader): void {
  if (Array.isArray(document)) {
    reader.fault(
      "",
      'is a list, and not as gcloud reads them; the API has {"cleanupPolicies": {"<id>": {"action": "DELETE", ...}}}',
    );
    return;
  }
  const top = reader.object(document, "", ["cleanupPolicies", "cleanupPolicyDryRun"]);
  if (!top) return;
  if (top["cleanupPolicyDryRun"] !== undefined) reader.flag(top["cleanupPolicyDryRun"], "cleanupPolicyDryRun");
  const policies = reader.object(top["cleanupPolicies"], "cleanupPolicies");
  if (!policies) return;
  const entries = Object.entries(policies);
  if (entries.length > mostPolicies) {
    reader.fault("cleanupPolicies", `has ${entries.length} policies; a repository has ${mostPolicies} at most`);
  }
  for (const [id, policy] of entries) checkPolicy(id, policy, join("cleanupPolicies", id), reader);
}

function checkPolicy(id: string, value: unknown, at: string, reader: FieldReader): void {
  const policy = reader.object(value, at, ["id", "action", "condition", "mostRecentVersions"]);
  if (!policy) return;
  if (!/^[a-z][a-z0-9-]{0,127}$/.test(id)) {
    reader.fault(at, "has a name that is none: small letters, digits and -, a letter first");
  }
  if (policy["id"] !== undefined && policy["id"] !== id) reader.fault(join(at, "id"), `has to be ${id}, as its key`);
  const action = reader.choice(policy["action"], join(at, "action"), ["DELETE", "KEEP"]);
  const { condition, mostRecentVersions } = policy;
  if ((condition === undefined) === (mostRecentVersions === undefined)) {
    reader.fault(at, "has to have one of condition and mostRecentVersions");
  }
  if (mostRecentVersions !== undefined) {
    const place = join(at, "mostRecentVersions");
    if (action === "DELETE") reader.fault(place, "is only for KEEP");
    const most = reader.object(mostRecentVersions, place, ["packageNamePrefixes", "keepCount"]);
    if (most?.["packageNamePrefixes"] !== undefined) {
      reader.texts(most["packageNamePrefixes"], join(place, "packageNamePrefixes"));
    }
    if (most) reader.integer(most["keepCount"], join(place, "keepCount"), 1);
  }
  if (condition !== undefined) checkCondition(condition, join(at, "condition"), reader);
}

function checkCondition(value: unknown, at: string, reader: FieldReader): void {
  const condition = reader.object(value, at, conditionKeys);
  if (!condition) return;
  const { tagState } = condition;
  if (tagState !== undefined) reader.choice(tagState, join(at, "tagState"), ["TAGGED", "UNTAGGED", "ANY"]);
  for (const key of ["tagPrefixes", "versionNamePrefixes", "packageNamePrefixes"] as const) {
    if (condition[key] !== undefined) reader.texts(condition[key], join(at, key));
  }
  const { tagPrefixes } = condition;
  if (Array.isArray(tagPrefixes) && tagPrefixes.length > 0 && tagState !== "TAGGED") {
    reader.fault(
      join(at, "tagPrefixes"),
      "needs tagState TAGGED: without, Google passes over it and takes images of all tags",
    );
  }
  for (const key of ["olderThan", "newerThan"] as const) {
    const duration = condition[key];
    if (duration !== undefined && !(typeof duration === "string" && /^\d{1,12}(?:\.\d{1,9})?s$/.test(duration))) {
      const days = typeof duration === "string" ? /^(\d{1,6})d$/.exec(duration)?.[1] : undefined;
      const instead = days === undefined ? '"2592000s"' : `"${Number(days) * 86_400}s"`;
      reader.fault(join(at, key), `has to be a time in seconds: ${instead}`);
    }
  }
}
