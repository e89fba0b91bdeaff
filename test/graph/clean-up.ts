import { needed } from "../../src/graph/needed.ts";
import type { Client } from "../../src/index.ts";
import type { DeleteManifest, Plan } from "../../src/plan/plan.ts";

/** A plan that deletes all of a repository that no kept tag needs, as a cleanup tool would. */
export async function cleanUp(client: Client, repository: string, keepTags: readonly string[]): Promise<Plan> {
  const inventory = await client.inventory(repository);
  const roots = keepTags.flatMap((tag) => {
    const digest = inventory.tags.get(tag);
    return digest ? [{ digest, why: `it has the tag ${tag}` }] : [];
  });
  const stay = needed(inventory, roots);
  const steps = [...inventory.manifests.values()]
    .filter(({ digest }) => !stay.has(digest))
    .map(({ digest, tags }): DeleteManifest => ({
      do: "delete manifest",
      id: digest,
      at: `${inventory.repository}@${digest}`,
      digest,
      tags,
      why: "no kept tag needs it",
    }));
  return { version: 1, kind: "retain", made: "2026-11-20T14:05:00Z", steps, kept: [], notes: [] };
}
