import { isDigestTag } from "../../oci/reference.ts";
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
  { going, gone, goingAlone, staying }: RepositoryPlan,
  { tagged, untagged, orphans }: Contents,
  { minKeep = 0, maxDelete, allowEmpty = false }: Brakes,
): string | undefined {
  if (going.length + goingAlone.length === 0) return undefined;
  const top = new Set(tagged.map(({ number }) => number));
  const left = new Set(staying.flatMap(({ tag, number }) => (tag !== undefined && top.has(number) ? number : [])));
  const count = `${left.size} of ${tagged.length} images with tags`;
  if (left.size < Math.min(minKeep, tagged.length)) {
    return `the policy would leave ${count}, and minKeep is ${minKeep}`;
  }
  if (
    tagged.length > 0 &&
    left.size === 0 &&
    !allowEmpty &&
    (going.some((number) => top.has(number) && !gone[number]!.mayEmpty) ||
      goingAlone.some(({ number, fate }) => top.has(number) && !fate.mayEmpty))
  ) {
    return (
      `the policy would leave no image with a tag of ${tagged.length}: it is likely not meant; ` +
      "if it is, say allowEmpty in the rule, or --allow-empty"
    );
  }
  if (maxDelete === undefined) return undefined;
  // What is in none of these goes along with another; the tags that attach it (`sha256-*`), of which no rule says anything, too.
  const counts = new Map([...untagged, ...orphans].map(({ number }) => [number, 1]));
  for (const { number, tags } of tagged) counts.set(number, tags.length);
  const goes = going.reduce((sum, number) => sum + (counts.get(number) ?? 0), goingAlone.length);
  const stays = staying.filter(({ tag = "", fate }) => fate.rule !== undefined || !isDigestTag(tag)).length;
  const all = goes + stays;
  const most = typeof maxDelete === "number" ? maxDelete : Math.floor((Number.parseFloat(maxDelete) / 100) * all);
  return goes > most
    ? `the policy would take ${goes} of ${all} tags and images, and maxDelete is ${maxDelete}`
    : undefined;
}
