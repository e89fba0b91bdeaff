import * as v from "valibot";
import { checked, type Document } from "../document/document.ts";
import { digestOf, isDigest, type Digest } from "../oci/digest.ts";
import { checkSteps } from "./check-steps.ts";
import { planKinds, type Plan, type Step } from "./plan.ts";

export const text = v.pipe(v.string(), v.nonEmpty("is empty"));
/** A whole number from there on. */
export const countFrom = (least: number): v.GenericSchema<unknown, number> =>
  v.pipe(v.number(), v.safeInteger("is no whole number"), v.minValue(least, `is less than ${least}`));
export const count = countFrom(0);
export const digest = v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "is no digest");
export const moment = v.pipe(
  v.string(),
  v.check((value) => !Number.isNaN(Date.parse(value)), "is no time"),
);
export const texts = v.array(text);
export const tagsState = v.picklist(["mutable", "immutable"]);
export const patterns = v.picklist(["wildcard", "doublestar", "regex"]);

const common = {
  id: text,
  at: text,
  why: text,
  rule: v.exactOptional(text),
  after: v.exactOptional(texts),
  bytes: v.exactOptional(count),
};

/** The form of a step. */
export const stepSchema: v.GenericSchema<unknown, Step> = v.variant("do", [
  v.strictObject({ do: v.literal("delete tag"), ...common, digest }),
  v.strictObject({ do: v.literal("delete manifest"), ...common, digest, tags: texts }),
  v.strictObject({ do: v.literal("tag"), ...common, digest, before: v.nullable(digest) }),
  v.strictObject({
    do: v.literal("copy"),
    ...common,
    from: text,
    digest,
    before: v.exactOptional(v.nullable(digest)),
    platforms: v.exactOptional(texts),
    referrers: v.exactOptional(v.boolean()),
    limitRate: v.exactOptional(countFrom(1)),
  }),
  v.strictObject({
    do: v.literal("attach"),
    ...common,
    digest,
    artifactType: text,
    annotations: v.exactOptional(v.record(v.string(), v.string())),
    document: v.unknown(),
  }),
  v.strictObject({ do: v.literal("create repository"), ...common }),
  v.strictObject({ do: v.literal("delete repository"), ...common }),
  v.strictObject({
    do: v.literal("set immutability"),
    ...common,
    tags: tagsState,
    except: v.exactOptional(texts),
    patterns: v.exactOptional(patterns),
    before: v.exactOptional(v.strictObject({ tags: tagsState, except: v.exactOptional(texts) })),
  }),
  v.strictObject({
    do: v.literal("restore"),
    ...common,
    digest,
    mediaType: text,
    manifest: v.pipe(v.string(), v.base64("is no base64")),
    tags: texts,
  }),
]);

/** The form of a plan, version 1. */
export const planSchema: v.GenericSchema<unknown, Plan> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  kind: v.picklist(planKinds),
  made: moment,
  from: v.exactOptional(text),
  steps: v.array(stepSchema),
  kept: v.array(v.strictObject({ at: text, digest: v.exactOptional(digest), why: text, rule: v.exactOptional(text) })),
  notes: v.array(
    v.strictObject({
      level: v.picklist(["info", "warning", "refused"]),
      at: v.exactOptional(text),
      rule: v.exactOptional(text),
      message: text,
    }),
  ),
});

/** Reads a plan. Throws INVALID with the place of what is wrong in it: a field, an order, a place that is not of its step's kind. */
export function parsePlan(document: Document): Plan {
  const plan = checked(planSchema, document);
  checkSteps(document, plan);
  return plan;
}

/** Writes a plan, always in the same way: equal plans are equal texts. Throws INVALID for what is no plan. */
export function formatPlan(plan: Plan): string {
  return `${JSON.stringify(checked(planSchema, { name: "the plan", value: plan }), undefined, 2)}\n`;
}

const digests = new WeakMap<Plan, Digest>();

/** What tells a plan from all others: the digest of its text. */
export function digestOfPlan(plan: Plan): Digest {
  const known = digests.get(plan) ?? digestOf(Buffer.from(formatPlan(plan)));
  digests.set(plan, known);
  return known;
}
