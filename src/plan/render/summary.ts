import { count, formatSize } from "../../text/text.ts";
import type { Kept, Plan, Step } from "../plan.ts";

/** The steps of a plan in one repository, or other place. */
export interface PlaceSteps {
  readonly place: string;
  readonly steps: readonly Step[];
}

/** Steps by the places that they change, in the order in which these first come up. */
export function byPlace(steps: readonly Step[]): readonly PlaceSteps[] {
  return [...Map.groupBy(steps, ({ at }) => placeOf(at))].map(([place, its]) => ({ place, steps: its }));
}

/** `registry.example/app` of `registry.example/app:1.0`; the same of other places. */
export function placeOf(at: string): string {
  return at.slice(0, at.length - nameIn(at).length);
}

/** What of its place is meant: `:1.0`, `@sha256:...`, or nothing. */
export function nameIn(at: string): string {
  const digest = at.search(/@sha(?:256|512):/);
  if (digest >= 0) return at.slice(digest);
  const colon = at.lastIndexOf(":");
  const isTransport = /^(?:oci|ocidir|oci-archive|docker-archive|dir)$/.test(at.slice(0, Math.max(0, colon)));
  return colon > at.lastIndexOf("/") && !isTransport ? at.slice(colon) : "";
}

/** How many stay for each reason, most first: by the rule where there is one; digests in reasons do not tell them apart. */
export function keptByReason(
  kept: readonly Kept[],
): readonly { readonly why: string; readonly kept: readonly Kept[] }[] {
  return [...Map.groupBy(kept, ({ rule, why }) => rule ?? why.replace(/sha\d+:[0-9a-f]{64,}/g, "…"))]
    .map(([key, its]) => ({ why: its[0]!.rule === undefined ? key : `${its[0]!.why} (${key})`, kept: its }))
    .toSorted((a, b) => b.kept.length - a.kept.length);
}

const phrases: Readonly<Record<Step["do"], (n: number) => string>> = {
  "delete tag": (n) => count(n, "tag goes", "tags go"),
  "delete manifest": (n) => count(n, "manifest goes", "manifests go"),
  tag: (n) => count(n, "tag is set", "tags are set"),
  copy: (n) => count(n, "image is copied", "images are copied"),
  attach: (n) => count(n, "document is attached", "documents are attached"),
  "create repository": (n) => count(n, "repository is created", "repositories are created"),
  "delete repository": (n) => count(n, "repository goes", "repositories go"),
  "set immutability": (n) => `${count(n, "repository's tags are", "repositories' tags are")} made mutable or immutable`,
  restore: (n) => count(n, "manifest comes back", "manifests come back"),
};

/** `3 tags go, 2 images are copied; frees 1.2 GB, moves 3.4 GB`; empty where there is no step. */
export function stepsText(steps: readonly Step[]): string {
  const counted = [...Map.groupBy(steps, (step) => step.do)].map(([what, its]) => phrases[what](its.length));
  const [freed, moved] = bytesOf(steps);
  const bytes = [freed > 0 && `frees ${formatSize(freed)}`, moved > 0 && `moves ${formatSize(moved)}`].filter(Boolean);
  return [counted.join(", "), bytes.join(", ")].filter(Boolean).join("; ");
}

/** What a plan does, and how much stays. */
export function summary({ steps, kept }: Plan): string {
  const does = steps.length === 0 ? "nothing to do" : stepsText(steps);
  return kept.length > 0 ? `${does}; ${count(kept.length, "stays", "stay")}` : does;
}

function bytesOf(steps: readonly Step[]): readonly [freed: number, moved: number] {
  let [freed, moved] = [0, 0];
  for (const step of steps) {
    if (step.do.startsWith("delete")) freed += step.bytes ?? 0;
    else moved += step.bytes ?? 0;
  }
  return [freed, moved];
}
