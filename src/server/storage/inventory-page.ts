import type { Digest } from "../../oci/digest.ts";
import type { InventoryPage, InventoryPart, ManifestRecord, TagRecord } from "./storage.ts";

type Untagged = Omit<ManifestRecord, "tags">;

/** What an inventory is made of, as the storage has it. */
export interface InventoryRows {
  /** From this digest on, in order. */
  manifests(from: Digest | ""): Iterable<Untagged>;
  /** The tags of a manifest after one, in byte order, at most `limit`. */
  tags(digest: Digest, after: string, limit: number): readonly TagRecord[];
}

/** As much of an inventory as a page takes; asks for no more of it than it must. */
export function cutInventory(rows: InventoryRows, { after, limit, bytes }: InventoryPage): InventoryPart {
  const records: ManifestRecord[] = [];
  let [left, weight] = [limit, 0];
  for (const row of rows.manifests(after?.digest ?? "")) {
    const { descriptor } = row.manifest;
    const { digest } = descriptor;
    const isBegun = digest === after?.digest;
    const tags = rows.tags(digest, isBegun ? after.tag : "", Math.max(left, 0) + 1);
    if (isBegun && tags.length === 0) continue;
    weight += descriptor.size;
    if (left <= 0 || (records.length > 0 && weight > bytes)) return { records, next: endOf(records) };
    records.push({ ...row, tags: tags.slice(0, left) });
    if (tags.length > left) return { records, next: endOf(records) };
    left -= Math.max(tags.length, 1);
  }
  return { records };
}

function endOf(records: readonly ManifestRecord[]): NonNullable<InventoryPart["next"]> {
  const { manifest, tags } = records.at(-1)!;
  return { digest: manifest.descriptor.digest, tag: tags.at(-1)?.name ?? "" };
}
