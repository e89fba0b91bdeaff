import type { Digest } from "../oci/digest.ts";
import type { Held, Inventory } from "./inventory.ts";

/**
 * The bytes that deleting manifests frees, by manifest: its own and those of the blobs that no other manifest of the
 * repository has. What several of them share counts in the first; manifests that are not there are not in the answer. Blobs
 * that other repositories have too stay where a registry keeps each blob once.
 */
export function freedBy({ manifests }: Inventory, deletedInOrder: Iterable<Digest>): ReadonlyMap<Digest, number> {
  const going = new Map<Digest, Held>();
  for (const digest of deletedInOrder) {
    const held = manifests.get(digest);
    if (held) going.set(digest, held);
  }
  const left = [...manifests.values()].filter(({ digest }) => !going.has(digest));
  const bytes = freedOf([...going.values()], left);
  return new Map([...going.keys()].map((digest, i) => [digest, bytes[i]!]));
}

/** The same of some manifests of a repository, in their order, where all others are left. */
export function freedOf(going: readonly Held[], left: readonly Held[]): readonly number[] {
  const counted = new Set<Digest>();
  for (const { blobs } of left) for (const { digest } of blobs) counted.add(digest);
  return going.map(({ size, blobs }) => {
    let bytes = size;
    for (const blob of blobs) {
      const before = counted.size;
      // One look instead of two: there may be hundreds of thousands.
      if (counted.add(blob.digest).size > before) bytes += blob.size;
    }
    return bytes;
  });
}
