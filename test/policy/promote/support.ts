import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import type { AttachedReceipt } from "../../../src/policy/promote/history.ts";
import { receiptType, type Receipt } from "../../../src/policy/promote/receipt.ts";
import type { Promotion, PromotionPolicy, TagNow } from "../../../src/policy/promote/state.ts";

export const now = new Date("2026-11-20T14:05:00Z");
export const policy: PromotionPolicy = { who: { name: "alice" }, tool: "gantry 0.1.0" };

export const digest = (name: string): Digest => digestOf(Buffer.from(name));

/** `1.2.3` of registry.example/dev/app on its way to registry.example/prod/app. */
export function promotion(more: Partial<Promotion> = {}, release = "1.2.3"): Promotion {
  return {
    from: `registry.example/dev/app:${release}@${digest(release)}`,
    repository: "registry.example/dev/app",
    digest: digest(release),
    release,
    to: "registry.example/prod/app",
    tags: [tag(release)],
    gates: [],
    leftOut: [],
    ...more,
  };
}

/** A tag that names the image of a version, or nothing. */
export function tag(name: string, names?: string, more: Partial<TagNow> = {}): TagNow {
  return {
    tag: name,
    alias: false,
    names: names === undefined ? null : digest(names),
    ...(names !== undefined && { release: names }),
    ...more,
  };
}

/** A repository's tags, and the receipts that are attached to its images. */
export interface Place {
  readonly tags: Map<string, Digest>;
  readonly receipts: Map<Digest, AttachedReceipt[]>;
}

/** Does the steps of a plan on tags alone, and keeps its receipts. */
export function applyTo(place: Place, plan: Plan): void {
  for (const step of plan.steps) {
    if (step.do === "tag" || step.do === "copy")
      place.tags.set(step.at.slice(step.at.lastIndexOf(":") + 1), step.digest);
    if (step.do === "attach" && step.artifactType === receiptType) {
      const receipt = step.document as Receipt;
      const artifact = digest(JSON.stringify(receipt));
      place.receipts.set(step.digest, [...(place.receipts.get(step.digest) ?? []), { artifact, receipt }]);
    }
  }
}
