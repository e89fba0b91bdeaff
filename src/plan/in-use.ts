import type { Inventory } from "../graph/inventory.ts";
import type { Root } from "../graph/needed.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { isRegistryError } from "../oci/error.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";

/** An image that somebody runs. */
export interface InUse {
  /** As it was written: `registry.example/app:1.0`, with a digest or not; or a digest alone, of whatever repository. */
  readonly reference: string;
  /** Who: `pod shop/web-1 (context prod)`, `compose.yaml: service web`. */
  readonly by: string;
}

/**
 * The manifests of a repository that are in use: by digest, and by the tag where no digest is said. A digest alone is that of
 * a manifest or, as some runtimes tell it, of an image's configuration.
 */
export function rootsInUse(inventory: Inventory, used: readonly InUse[]): readonly Root[] {
  const byBlob = used.some(({ reference }) => isDigest(reference))
    ? manifestsByBlob(inventory)
    : new Map<Digest, never>();
  return used.flatMap(({ reference, by }) => {
    const why = `in use by ${by}`;
    if (isDigest(reference)) {
      const digests = inventory.manifests.has(reference) ? [reference] : (byBlob.get(reference) ?? []);
      return digests.map((digest) => ({ digest, why }));
    }
    const found = referenceIn(inventory.repository, reference);
    const named = found && (found.digest ?? inventory.tags.get(found.tag ?? "latest"));
    return named ? [{ digest: named, why }] : [];
  });
}

/** The digests of a repository that are said to be in use: no tag need lead to them, and they may miss from what it lists. */
export const digestsInUse = (repository: string, used: readonly InUse[]): readonly Digest[] =>
  used.flatMap(({ reference }) => (isDigest(reference) ? [] : (referenceIn(repository, reference)?.digest ?? [])));

function manifestsByBlob({ manifests }: Inventory): ReadonlyMap<Digest, readonly Digest[]> {
  const found = new Map<Digest, Digest[]>();
  for (const { digest, blobs } of manifests.values()) {
    for (const blob of blobs) {
      const known = found.get(blob.digest);
      if (known) known.push(digest);
      else found.set(blob.digest, [digest]);
    }
  }
  return found;
}

/** What was written, where that is in a repository. */
function referenceIn(repository: string, text: string): Reference | undefined {
  try {
    const found = parseReference(text);
    return formatReference({ registry: found.registry, repository: found.repository }) === repository
      ? found
      : undefined;
  } catch (error) {
    if (isRegistryError(error, "INVALID")) return undefined;
    throw error;
  }
}
