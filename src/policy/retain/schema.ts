import * as v from "valibot";
import { checked, faultyDocument, type Document } from "../../document/document.ts";
import type { Fault } from "../../document/fault.ts";
import { parsePattern } from "../pattern.ts";
import { spanForm } from "../../config/quantity.ts";
import type { Keep, RetentionPolicy, RetentionRule } from "./retention.ts";
import { readStreams } from "./streams.ts";

const text = v.pipe(v.string(), v.nonEmpty("is empty"));
const count = v.pipe(v.number(), v.safeInteger("is no whole number"), v.minValue(1, "is less than 1"));
const span = v.pipe(
  v.string("has to be a span of time: 36h, 14d, 2w"),
  v.regex(spanForm, "is no span of time: write 90m, 36h, 14d or 2w"),
);
const patterns = v.pipe(
  v.array(v.pipe(text, readable(parsePattern))),
  v.minLength(1, "is empty: leave it out for all"),
);
const moment = v.picklist(["pushed", "created"], "has to be pushed or created");
const yes = v.literal(true, "has to be true, or left out");

/** Checks by reading; what the reader throws is what is wrong. */
function readable(read: (text: string) => unknown): v.RawCheckAction<string> {
  return v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    try {
      read(dataset.value);
    } catch (error) {
      addIssue({ message: `is wrong: ${error instanceof Error ? error.message : String(error)}` });
    }
  });
}

const keep: v.GenericSchema<unknown, Keep> = v.strictObject({
  always: v.exactOptional(yes),
  newest: v.exactOptional(count),
  by: v.exactOptional(v.picklist(["pushed", "created", "semver"], "has to be pushed, created or semver")),
  per: v.exactOptional(
    v.union([
      v.picklist(["major", "minor"]),
      v.pipe(v.string(), readable(readStreams)) as v.GenericSchema<unknown, `/${string}/`>,
    ]),
  ),
  youngerThan: v.exactOptional(span),
  pulledWithin: v.exactOptional(span),
});

const rule: v.GenericSchema<unknown, RetentionRule> = v.strictObject({
  name: v.exactOptional(text),
  repositories: v.exactOptional(patterns),
  tags: v.exactOptional(patterns),
  except: v.exactOptional(patterns),
  untagged: v.exactOptional(yes),
  orphaned: v.exactOptional(yes),
  by: v.exactOptional(moment),
  keep: v.exactOptional(v.union([keep, v.pipe(v.array(keep), v.minLength(1, "is empty"))])),
  delete: v.exactOptional(v.strictObject({ olderThan: span })),
  allowEmpty: v.exactOptional(v.boolean()),
});

/** The form of Gantry's retention policies, version 1. */
export const retentionSchema: v.GenericSchema<unknown, RetentionPolicy> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  by: v.exactOptional(moment),
  protect: v.exactOptional(patterns),
  minKeep: v.exactOptional(count),
  maxDelete: v.exactOptional(
    v.union([
      v.pipe(v.number(), v.safeInteger("is no whole number"), v.minValue(0, "is less than 0")),
      v.pipe(v.string(), v.regex(/^(?:100|\d{1,2})(?:\.\d+)?%$/, "is neither a number nor a part such as 20%")),
    ]),
  ),
  rules: v.pipe(v.array(rule), v.minLength(1, "is empty: a policy needs a rule")),
});

/** Reads a retention policy. Throws INVALID with the place of each fault in it. */
export function parseRetention(document: Document): RetentionPolicy {
  const policy = checked(retentionSchema, document);
  const faults = policy.rules.flatMap((one, i) =>
    faultsOf(one).map(({ path, message }) => ({ path: ["rules", i, ...path], message })),
  );
  const names = policy.rules.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) faults.push({ path: ["rules"], message: `two rules are called ${JSON.stringify(twice)}` });
  if (faults.length > 0) throw faultyDocument(document, faults);
  return policy;
}

/** What does not go together in one rule. */
function faultsOf(one: RetentionRule): readonly Fault[] {
  const faults: Fault[] = [];
  const fault = (path: Fault["path"], message: string): void => void faults.push({ path, message });
  const ofTags = one.tags !== undefined || one.except !== undefined;
  if (one.untagged && one.orphaned) fault(["orphaned"], "and untagged are two rules: write one for each");
  const kind = one.untagged ? "untagged" : one.orphaned ? "orphaned" : undefined;
  if (kind !== undefined && ofTags) fault([kind], "selects what has no tag: it does not go together with tags");
  if (!one.keep && !one.delete) fault([], "says neither keep nor delete");
  const keeps = [one.keep ?? []].flat();
  if (one.untagged && !one.delete && !keeps.some(({ youngerThan }) => youngerThan !== undefined)) {
    fault(["untagged"], "needs delete.olderThan: what is being pushed has no tag yet");
  }
  keeps.forEach(({ by, per, newest, ...conditions }, i) => {
    const path = Array.isArray(one.keep) ? ["keep", i] : ["keep"];
    if (newest === undefined && Object.keys(conditions).length === 0) {
      fault(path, "has no condition: it needs always, newest, youngerThan or pulledWithin");
    }
    if (newest === undefined && by !== undefined) fault([...path, "by"], "goes with newest");
    if (newest === undefined && per !== undefined) fault([...path, "per"], "goes with newest");
    if (kind !== undefined && (by === "semver" || per !== undefined)) {
      fault([...path, per === undefined ? "by" : "per"], `goes by tags, and ${kind} selects what has none`);
    }
  });
  return faults;
}
