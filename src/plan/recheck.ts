import type { Inventory } from "../graph/inventory.ts";
import { needed, subjectOfTag, type Need, type Root } from "../graph/needed.ts";
import type { Digest } from "../oci/digest.ts";
import { parseLocation } from "../oci/location.ts";
import type { DeleteManifest, DeleteTag } from "./plan.ts";

/** What became of a step that was to delete: it may, it was done by somebody, or the repository is not as the plan expects. */
export type Verdict = { readonly verdict: "go" | "already" } | { readonly verdict: "stale"; readonly why: string };

export interface RecheckOptions {
  /** Deletions in the repository that come later, and are not needed by what stays either. */
  readonly later?: readonly (DeleteTag | DeleteManifest)[];
  /** What must not go, whatever the plan says. */
  readonly protectedRoots?: readonly Root[];
}

/**
 * Holds the deletions of a plan in one repository against what the repository is now. What anything needs that is not to go
 * is stale: a tag that moved to it, a new index that has it as a part, something attached to it since.
 */
export function recheckDeletions(
  steps: readonly (DeleteTag | DeleteManifest)[],
  inventory: Inventory,
  { later = [], protectedRoots = [] }: RecheckOptions = {},
): ReadonlyMap<string, Verdict> {
  const { tags, manifests, gaps, tagDeletion } = inventory;
  if (gaps.length > 0) {
    const why = `${gaps[0]!.at} cannot be read, so that nobody knows what it needs: ${gaps[0]!.why}`;
    return new Map(steps.map(({ id }) => [id, { verdict: "stale", why }]));
  }
  const going = new Map<Digest, readonly string[]>();
  for (const step of [...steps, ...later]) if (step.do === "delete manifest") going.set(step.digest, step.tags);
  const untagged =
    tagDeletion === "takes the image along" ? lastTags(steps, inventory) : new Map<Digest, readonly string[]>();
  const roots: Root[] = [...protectedRoots];
  for (const [digest, held] of manifests) {
    const expected = going.get(digest);
    const tag = expected && held.tags.find((one) => !expected.includes(one));
    if (!expected) roots.push({ digest, why: "it is not in the plan" });
    else if (tag !== undefined) roots.push({ digest, why: `it has the tag ${tag}, which the plan does not know of` });
  }
  const kept = needed(inventory, roots);
  const keptUntagged = needed(
    inventory,
    roots.filter(({ digest }) => !untagged.has(digest)),
  );
  const protectedBy = new Map(protectedRoots.map(({ digest, why }) => [digest, why]));
  return new Map(steps.map((step) => [step.id, step.do === "delete tag" ? onTag(step) : onManifest(step)]));

  function onTag({ at, digest }: DeleteTag): Verdict {
    const now = tags.get(tagAt(at));
    if (now === undefined) return { verdict: "already" };
    if (now !== digest) return { verdict: "stale", why: `${at} names ${now} now` };
    const why = protectedBy.get(now);
    if (why !== undefined) return { verdict: "stale", why };
    const need = untagged.has(now) ? keptUntagged.get(now) : undefined;
    return need
      ? { verdict: "stale", why: `with its last tag the image would go, and it is needed: ${need.why}` }
      : { verdict: "go" };
  }

  function onManifest({ digest }: DeleteManifest): Verdict {
    const why = protectedBy.get(digest);
    if (why !== undefined) return { verdict: "stale", why };
    if (!manifests.has(digest)) return { verdict: "already" };
    const need = kept.get(digest);
    return need ? { verdict: "stale", why: neededText(need) } : { verdict: "go" };
  }
}

/** Why something cannot go. */
export const neededText = ({ as, why }: Need): string => (as === "root" ? why : `it is needed: ${why}`);

/** The manifests of which all tags are to go, with those tags. */
export function lastTags(
  steps: readonly (DeleteTag | DeleteManifest)[],
  { manifests }: Inventory,
): ReadonlyMap<Digest, readonly string[]> {
  const names = new Map<Digest, string[]>();
  for (const step of steps) {
    if (step.do === "delete tag") names.set(step.digest, [...(names.get(step.digest) ?? []), tagAt(step.at)]);
  }
  return new Map(
    [...names].filter(([digest, going]) => manifests.get(digest)?.tags.every((tag) => going.includes(tag))),
  );
}

/**
 * The order in which manifests go: an index before its parts, and an image before what is attached to it, so that what is
 * left is whole wherever it stops.
 */
export function deletionWaves(
  digests: readonly Digest[],
  { manifests, tags }: Inventory,
): readonly (readonly Digest[])[] {
  const first = new Map<Digest, Set<Digest>>(digests.map((digest) => [digest, new Set()]));
  const after = (digest: Digest, before: Digest | undefined): void => {
    if (before !== undefined && before !== digest && first.has(before)) first.get(digest)?.add(before);
  };
  for (const digest of digests) {
    const { children = [], subject } = manifests.get(digest) ?? {};
    for (const child of children) after(child, digest);
    after(digest, subject);
  }
  for (const [tag, digest] of tags) after(digest, subjectOfTag(tag));
  const waves: (readonly Digest[])[] = [];
  for (let open = [...first.keys()]; open.length > 0;) {
    const free = open.filter((digest) => first.get(digest)!.size === 0);
    // Attached to each other: there is no order.
    const wave = free.length > 0 ? free : open;
    waves.push(wave);
    const gone = new Set(wave);
    open = open.filter((digest) => !gone.has(digest));
    for (const digest of open) for (const one of first.get(digest)!) if (gone.has(one)) first.get(digest)!.delete(one);
  }
  return waves;
}

/** The tag of `HOST/REPOSITORY:TAG`, or of a local place. */
function tagAt(at: string): string {
  const location = parseLocation(at);
  return (location.transport === "registry" ? location.reference.tag : location.ref) ?? "";
}
