import { isObject } from "../../../oci/descriptor.ts";
import { join, type FieldReader, type Fields } from "../fields.ts";
import { re2Fault } from "../regex.ts";
import { isDuration } from "./document.ts";

const configKeys = [
  "distSpecVersion",
  "storage",
  "http",
  "log",
  "extensions",
  "scheduler",
  "cluster",
  "goVersion",
  "commit",
  "releaseTag",
  "binaryType",
] as const;
const storageKeys = [
  "rootDirectory",
  "maxRepos",
  "dedupe",
  "remoteCache",
  "redirectBlobURL",
  "gc",
  "commit",
  "gcDelay",
  "gcInterval",
  "gcTimeWindow",
  "retention",
  "storageDriver",
  "cacheDriver",
] as const;
const ruleKeys = ["pulledWithin", "pushedWithin", "mostRecentlyPushedCount", "mostRecentlyPulledCount"] as const;
const policyKeys = ["repositories", "deleteReferrers", "deleteUntagged", "keepTags", "keepUntagged"] as const;

/** Notes what zot refuses in a configuration with `storage.retention`, or in that alone (pkg/api/config, pkg/cli/server). */
export function checkZot(document: unknown, reader: FieldReader): void {
  if (!isObject(document) || !("storage" in document)) {
    checkRetention(document, "", reader);
    return;
  }
  reader.object(document, "", configKeys);
  const storage = reader.object(document["storage"], "storage", [...storageKeys, "subPaths"]);
  if (!storage) return;
  checkStorage(storage, "storage", reader);
  const subPaths =
    storage["subPaths"] === undefined ? undefined : reader.object(storage["subPaths"], "storage.subPaths");
  const stores = Object.entries(subPaths ?? {}).flatMap(([route, value]) => {
    const at = join("storage.subPaths", route);
    const below = reader.object(value, at, storageKeys);
    return below ? [checkStorage(below, at, reader)] : [];
  });
  if (storage["retention"] === undefined && !stores.some(({ retention }) => retention !== undefined)) {
    reader.fault("storage.retention", "is missing: it has to be an object");
  }
}

function checkStorage(storage: Fields, at: string, reader: FieldReader): Fields {
  if (storage["gc"] !== undefined) reader.flag(storage["gc"], join(at, "gc"));
  if (storage["gcDelay"] !== undefined) checkDuration(storage["gcDelay"], join(at, "gcDelay"), reader);
  if (storage["retention"] !== undefined) checkRetention(storage["retention"], join(at, "retention"), reader);
  return storage;
}

function checkRetention(value: unknown, at: string, reader: FieldReader): void {
  const retention = reader.object(value, at, ["dryRun", "delay", "policies"]);
  if (!retention) return;
  if (retention["dryRun"] !== undefined) reader.flag(retention["dryRun"], join(at, "dryRun"));
  if (retention["delay"] !== undefined) checkDuration(retention["delay"], join(at, "delay"), reader);
  const policies = reader.list(retention["policies"], join(at, "policies"));
  policies?.forEach((policy, i) => checkPolicy(policy, `${join(at, "policies")}[${i}]`, reader));
}

function checkPolicy(value: unknown, at: string, reader: FieldReader): void {
  const policy = reader.object(value, at, policyKeys);
  if (!policy) return;
  const globs = reader.texts(policy["repositories"], join(at, "repositories"));
  if (globs?.length === 0) reader.fault(join(at, "repositories"), "is empty: to mean all, say **");
  globs?.forEach((glob, i) => {
    if (!isGlob(glob)) reader.fault(`${join(at, "repositories")}[${i}]`, "is no glob: a bracket or brace is open");
  });
  for (const key of ["deleteReferrers", "deleteUntagged"] as const) {
    if (policy[key] !== undefined) reader.flag(policy[key], join(at, key));
  }
  const { keepTags, keepUntagged } = policy;
  const entries = keepTags === undefined ? undefined : reader.list(keepTags, join(at, "keepTags"));
  entries?.forEach((entry, i) => checkKeepTags(entry, `${join(at, "keepTags")}[${i}]`, reader));
  if (keepUntagged === undefined) return;
  const rules = reader.object(keepUntagged, join(at, "keepUntagged"), ruleKeys);
  if (rules) checkRules(rules, join(at, "keepUntagged"), reader);
}

function checkKeepTags(value: unknown, at: string, reader: FieldReader): void {
  const entry = reader.object(value, at, ["patterns", ...ruleKeys]);
  if (!entry) return;
  const patterns = entry["patterns"] === undefined ? [] : reader.texts(entry["patterns"], join(at, "patterns"));
  patterns?.forEach((pattern, i) => {
    const fault = re2Fault(pattern);
    if (fault !== undefined) reader.fault(`${join(at, "patterns")}[${i}]`, fault);
  });
  checkRules(entry, at, reader);
}

function checkRules(rules: Fields, at: string, reader: FieldReader): void {
  for (const key of ["pulledWithin", "pushedWithin"] as const) {
    if (rules[key] !== undefined) checkDuration(rules[key], join(at, key), reader);
  }
  for (const key of ["mostRecentlyPushedCount", "mostRecentlyPulledCount"] as const) {
    if (rules[key] !== undefined) reader.integer(rules[key], join(at, key), 0);
  }
}

function checkDuration(value: unknown, at: string, { fault }: FieldReader): void {
  if (isDuration(value)) return;
  const days = typeof value === "string" ? /^(\d{1,6})d$/.exec(value)?.[1] : undefined;
  fault(at, `has to be a time as Go writes it: "${days === undefined ? 168 : Number(days) * 24}h"`);
}

/** Whether all brackets and braces of a doublestar pattern are closed, and it ends with no \. */
function isGlob(glob: string): boolean {
  const bare = glob.replace(/\\./g, "").replace(/\[[!^]?[^\]]+\]/g, "");
  let depth = 0;
  for (const token of bare.match(/[{}]/g) ?? []) {
    depth += token === "{" ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0 && !/[[\\]/.test(bare);
}
