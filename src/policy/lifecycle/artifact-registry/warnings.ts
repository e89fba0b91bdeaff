import { candidatesOf, type LifecycleImage, type SimulateOptions } from "../images.ts";
import type { Warning } from "../warning.ts";
import type { ArtifactRegistryDocument } from "./document.ts";

/** What is deleted with nothing kept, or kept with nothing deleted; counts that parts of indexes are in. */
export function warningsOfArtifactRegistry(
  { cleanupPolicies }: ArtifactRegistryDocument,
  images: readonly LifecycleImage[],
  options: SimulateOptions,
): readonly Warning[] {
  const policies = Object.entries(cleanupPolicies);
  const [deletes, keeps] = (["DELETE", "KEEP"] as const).map((action) =>
    policies.filter(([, policy]) => policy.action === action),
  ) as [typeof policies, typeof policies];
  const at = "cleanupPolicies";
  if (deletes.length === 0)
    return policies.length > 0 ? [{ at, message: "only keeps: without a DELETE, nothing goes" }] : [];
  const found: Warning[] = [];
  if (keeps.length === 0) found.push({ at, message: "keeps nothing: all that a DELETE fits goes, the newest too" });
  const parts = candidatesOf(images, "image", options).filter(({ isPart, tags }) => isPart && tags.length === 0).length;
  for (const [id, { mostRecentVersions }] of keeps) {
    if (!mostRecentVersions || parts === 0) continue;
    const message = `counts the ${parts} manifests that indexes are made of among its ${mostRecentVersions.keepCount}`;
    found.push({ at: `${at}.${id}`, message });
  }
  return found;
}
