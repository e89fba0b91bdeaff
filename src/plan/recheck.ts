import type { Inventory } from "../graph/inventory.ts";
import { needed, type Root } from "../graph/needed.ts";
import type { Digest } from "../oci/digest.ts";
import type { DeleteManifest, DeleteTag } from "./plan.ts";

/** What became of a step that was to delete: it may, it was done by somebody, or the repository is not as the plan expects. */
export type Verdict = { readonly verdict: "go" | "already" } | { readonly verdict: "stale"; readonly why: string };

/**
 * Holds the deletions of a plan in one repository against what the repository is now. What anything needs that is not to go
 * is stale: a tag that moved to it, a new index that has it as a part, something attached to it since.
 */
export function recheckDeletions(
  steps: readonly (DeleteTag | DeleteManifest)[],
  inventory: Inventory,
  protectedRoots: readonly Root[] = [],
): ReadonlyMap<string, Verdict> {
  const { tags, manifests, gaps } = inventory;
  if (gaps.length > 0) {
    const why = `${gaps[0]!.at} cannot be read, so that nobody knows what it needs: ${gaps[0]!.why}`;
    return new Map(steps.map(({ id }) => [id, { verdict: "stale", why }]));
  }
  const going = new Map<Digest, DeleteManifest>();
  for (const step of steps) if (step.do === "delete manifest") going.set(step.digest, step);
  const unexpected = (digest: Digest): string | undefined => {
    const planned = going.get(digest);
    return planned && manifests.get(digest)?.tags.find((tag) => !planned.tags.includes(tag));
  };
  const roots: Root[] = [...protectedRoots];
  for (const digest of manifests.keys()) {
    const tag = unexpected(digest);
    if (!going.has(digest)) roots.push({ digest, why: "it is not in the plan" });
    else if (tag !== undefined) roots.push({ digest, why: `it has the tag ${tag}, which the plan does not know of` });
  }
  const kept = needed(inventory, roots);
  return new Map(steps.map((step) => [step.id, verdictOn(step)]));

  function verdictOn(step: DeleteTag | DeleteManifest): Verdict {
    if (step.do === "delete tag") {
      const tag = step.at.slice(inventory.repository.length + 1);
      const now = tags.get(tag);
      if (now === undefined) return { verdict: "already" };
      if (now !== step.digest) return { verdict: "stale", why: `${tag} names ${now} now` };
      const root = protectedRoots.find(({ digest }) => digest === now);
      return root ? { verdict: "stale", why: root.why } : { verdict: "go" };
    }
    if (!manifests.has(step.digest)) return { verdict: "already" };
    const need = kept.get(step.digest);
    return need
      ? { verdict: "stale", why: need.as === "root" ? need.why : `it is needed: ${need.why}` }
      : { verdict: "go" };
  }
}
