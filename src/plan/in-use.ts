import type { Inventory } from "../graph/inventory.ts";
import type { Root } from "../graph/needed.ts";
import { isRegistryError } from "../oci/error.ts";
import { formatReference, parseReference } from "../oci/reference.ts";

/** An image that somebody runs. */
export interface InUse {
  /** As it was written: `registry.example/app:1.0`, with a digest or not. */
  readonly reference: string;
  /** Who: `pod shop/web-1 (context prod)`, `compose.yaml: service web`. */
  readonly by: string;
}

/** The manifests of a repository that are in use: by digest, and by the tag where no digest is said. */
export function rootsInUse(inventory: Inventory, used: readonly InUse[]): readonly Root[] {
  return used.flatMap(({ reference, by }) => {
    const found = referenceTo(reference);
    if (
      !found ||
      formatReference({ registry: found.registry, repository: found.repository }) !== inventory.repository
    ) {
      return [];
    }
    const named = found.digest ?? inventory.tags.get(found.tag ?? "latest");
    return named ? [{ digest: named, why: `in use by ${by}` }] : [];
  });
}

function referenceTo(text: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (isRegistryError(error, "INVALID")) return undefined;
    throw error;
  }
}
