import type { Contents } from "./contents.ts";
import type { RepositoryPlan } from "./repository-plan.ts";

/** How much may go from one repository. */
export interface Brakes {
  readonly minKeep?: number;
  readonly maxDelete?: number | string;
  readonly allowEmpty?: boolean;
}

/** Why a plan for a repository takes too much; undefined where it does not. */
export function brakedBy(
  { going, staying }: RepositoryPlan,
  { inventory, tagged, untagged, orphans }: Contents,
  { minKeep = 0, maxDelete, allowEmpty = false }: Brakes,
): string | undefined {
  if (going.length === 0) return undefined;
  const top = new Set(tagged.map(({ held }) => held.digest));
  const left = new Set(staying.flatMap(({ tag, digest }) => (tag !== undefined && top.has(digest) ? [digest] : [])));
  const count = `${left.size} of ${tagged.length} images with tags`;
  if (left.size < Math.min(minKeep, tagged.length)) {
    return `the policy would leave ${count}, and minKeep is ${minKeep}`;
  }
  if (
    tagged.length > 0 &&
    left.size === 0 &&
    !allowEmpty &&
    going.some(({ digest, fate }) => top.has(digest) && !fate?.mayEmpty)
  ) {
    return (
      `the policy would leave no image with a tag of ${tagged.length}: it is likely not meant; ` +
      "if it is, say allowEmpty in the rule, or --allow-empty"
    );
  }
  if (maxDelete === undefined) return undefined;
  const bare = new Set([...untagged, ...orphans].map(({ held }) => held.digest));
  const goes = going.reduce((sum, { tag, digest }) => {
    if (tag !== undefined) return sum + 1;
    return sum + (bare.has(digest) ? 1 : inventory.manifests.get(digest)!.tags.length);
  }, 0);
  const all = goes + staying.length;
  const most = typeof maxDelete === "number" ? maxDelete : Math.floor((Number.parseFloat(maxDelete) / 100) * all);
  return goes > most
    ? `the policy would take ${goes} of ${all} tags and images, and maxDelete is ${maxDelete}`
    : undefined;
}
