import type { Digest } from "../oci/digest.ts";
import type { Held, Inventory } from "./inventory.ts";

/**
 * The bytes that deleting manifests frees, by manifest: its own and those of the blobs that no other manifest of the
 * repository has. What several of them share counts in the first; manifests that are not there are not in the answer. Blobs
 * that other repositories have too stay where a registry keeps each blob once.
 */
export function freedBy({ manifests }: Inventory, deletedInOrder: Iterable<Digest>): ReadonlyMap<Digest, number> {
  const going = new Set<Digest>(deletedInOrder);
  const counted = new Set<Digest>();
  for (const [digest, { blobs }] of manifests) {
    if (!going.has(digest)) for (const blob of blobs) counted.add(blob.digest);
  }
  const freed = new Map<Digest, number>();
  for (const digest of going) {
    const held = manifests.get(digest);
    if (held) freed.set(digest, held.size + fresh(held, counted));
  }
  return freed;
}

/** The bytes of a manifest's blobs that are not in `counted` yet; they are, afterwards. */
function fresh({ blobs }: Held, counted: Set<Digest>): number {
  let bytes = 0;
  for (const { digest, size } of blobs) {
    const before = counted.size;
    // One look instead of two: there may be hundreds of thousands.
    if (counted.add(digest).size > before) bytes += size;
  }
  return bytes;
}
