import type { Held, Inventory } from "../graph/inventory.ts";
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
 * The manifests of a repository that are in use: by digest, and by the tag where no digest is said. A digest is that of a
 * manifest or, as some runtimes tell it, of an image's configuration. The indexes that are made of what is in use are, too:
 * who runs an image for one platform runs what those are tags and signatures of.
 */
export function rootsInUse(inventory: Inventory, used: readonly InUse[]): readonly Root[] {
  if (used.length === 0) return [];
  const byBlob = holders(inventory, ({ blobs }) => blobs.map(({ digest }) => digest));
  const byPart = holders(inventory, ({ children }) => children);
  return used.flatMap(({ reference, by }) => {
    const digest = digestIn(inventory, reference);
    if (digest === undefined) return [];
    const found = new Set(inventory.manifests.has(digest) ? [digest] : (byBlob.get(digest) ?? [digest]));
    // A set yields what is added while it is gone through.
    for (const one of found) for (const index of byPart.get(one) ?? []) found.add(index);
    return Array.from(found, (one) => ({ digest: one, why: `in use by ${by}` }));
  });
}

/** The digests of a repository that are said to be in use: no tag need lead to them, and they may miss from what it lists. */
export const digestsInUse = (repository: string, used: readonly InUse[]): readonly Digest[] =>
  used.flatMap(({ reference }) => (isDigest(reference) ? [] : (referenceIn(repository, reference)?.digest ?? [])));

/** Which digest is in use in a repository. */
function digestIn({ repository, tags }: Inventory, text: string): Digest | undefined {
  if (isDigest(text)) return text;
  const found = referenceIn(repository, text);
  return found && (found.digest ?? tags.get(found.tag ?? "latest"));
}

/** Of each digest that manifests name in some way, those manifests. */
function holders(
  { manifests }: Inventory,
  named: (held: Held) => readonly Digest[],
): ReadonlyMap<Digest, readonly Digest[]> {
  const found = new Map<Digest, Digest[]>();
  for (const held of manifests.values()) {
    for (const digest of named(held)) {
      const known = found.get(digest);
      if (known) known.push(held.digest);
      else found.set(digest, [held.digest]);
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
