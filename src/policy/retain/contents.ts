import type { Held, Inventory } from "../../graph/inventory.ts";
import { subjectOfTag } from "../../graph/needed.ts";
import type { Digest } from "../../oci/digest.ts";

/** An image that a policy decides about. Moments are milliseconds since 1970. */
export interface Image {
  readonly held: Held;
  /** Its tags, without those (`sha256-*`) by which it is attached to others. */
  readonly tags: readonly string[];
  /** When it was last pulled, by its own digest or as a part of an index. */
  readonly pulled: number | undefined;
}

/** What in a repository is decided about; all else belongs to that, and goes or stays with it. */
export interface Contents {
  readonly inventory: Inventory;
  readonly tagged: readonly Image[];
  /** Images without a tag that are no part of an index and not attached to anything. */
  readonly untagged: readonly Image[];
  /** What is attached, but to nothing that is there. */
  readonly orphans: readonly Image[];
  /** What indexes are made of, whether it is there or not. */
  readonly parts: ReadonlySet<Digest>;
  /** Whether anything is known of pulls. */
  readonly tellsPulls: boolean;
}

/** Sorts what a repository has; in an order that does not depend on how it was read. */
export function contentsOf(inventory: Inventory): Contents {
  const { manifests } = inventory;
  const parts = new Set<Digest>();
  const tagged: Image[] = [];
  const untagged: Image[] = [];
  const orphans: Image[] = [];
  let tellsPulls = false;
  for (const { children, pulled } of manifests.values()) {
    for (const child of children) parts.add(child);
    tellsPulls ||= pulled !== undefined;
  }
  for (const held of manifests.values()) {
    const isAttached = held.tags.some((tag) => subjectOfTag(tag) !== undefined);
    const tags = isAttached ? held.tags.filter((tag) => subjectOfTag(tag) === undefined) : held.tags;
    const kind = tags.length > 0 ? tagged : parts.has(held.digest) ? undefined : untaggedKind(held);
    kind?.push({ held, tags, pulled: tellsPulls ? pulledOf(held, inventory) : undefined });
  }
  function untaggedKind(held: Held): Image[] | undefined {
    const subjects = subjectsOf(held);
    if (subjects.length === 0) return untagged;
    return subjects.some((subject) => manifests.has(subject)) ? undefined : orphans;
  }
  const sorted = (images: Image[]): Image[] => images.sort((a, b) => (a.held.digest < b.held.digest ? -1 : 1));
  return { inventory, tagged: sorted(tagged), untagged: sorted(untagged), orphans: sorted(orphans), parts, tellsPulls };
}

/** What a manifest is attached to: its subject, and whom its `sha256-*` tags name. */
export function subjectsOf({ subject, tags }: Held): readonly Digest[] {
  const subjects: Digest[] = subject ? [subject] : [];
  for (const tag of tags) {
    const named = subjectOfTag(tag);
    if (named) subjects.push(named);
  }
  return subjects;
}

function pulledOf({ pulled, children }: Held, { manifests }: Inventory): number | undefined {
  let latest = pulled;
  for (const child of children) {
    const of = manifests.get(child)?.pulled;
    if (of !== undefined && (latest === undefined || of > latest)) latest = of;
  }
  return latest;
}
