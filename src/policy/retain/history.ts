import type { Held, Inventory } from "../../graph/inventory.ts";
import type { Digest } from "../../oci/digest.ts";
import { belongings } from "./belongings.ts";
import { contentsOf } from "./contents.ts";
import type { DialectPolicy } from "./dialect.ts";
import { momentOf } from "./moment.ts";
import { planRetention, type RetentionState } from "./plan-retention.ts";
import type { RetentionPolicy } from "./retention.ts";

/** How big repositories were, and would have been. */
export interface SizeAt {
  readonly at: Date;
  /** Bytes of all that is there now and was there then. */
  readonly without: number;
  /** Bytes of what of that a policy would have left. */
  readonly with: number;
}

export interface SizeOptions {
  /** From when on the policy is followed; from the first push on, where it is absent. */
  readonly since?: Date;
  /** How many moments at most; 120, and fewer where there is much to plan for each. */
  readonly points?: number;
}

const day = 86_400_000;

/**
 * A repository as it was at a moment, as far as that is known: without what was pushed later, and with the tags of today.
 * What says nothing of when it was pushed counts as having been there.
 */
export function asOf(inventory: Inventory, at: Date, { useCreated = false } = {}): Inventory {
  const time = at.getTime();
  const isThere = (held: Held): boolean => (momentOf(held, "pushed", useCreated) ?? 0) <= time;
  const { graph, tagged, untagged, orphans } = contentsOf(inventory);
  const tops = [...tagged, ...untagged, ...orphans].filter(({ held }) => isThere(held));
  const there = new Set<number>();
  const { owners, order } = belongings(
    graph,
    tops.map(({ number }) => number),
  );
  for (const one of order) {
    // A part is as old as its index, whatever it says; what is attached came when it came.
    const isPart = owners[one]!.some(({ as, by }) => as === "a part of the index" && there.has(by));
    if (isPart || isThere(graph.held[one]!)) there.add(one);
  }
  const manifests = new Map<Digest, Held>();
  graph.held.forEach((held, number) => {
    if (!there.has(number)) return;
    // Pulled since then: it may have been pulled before, too, and counts as pulled then.
    const { digest, pulled } = held;
    manifests.set(digest, pulled === undefined ? held : { ...held, pulled: Math.min(pulled, time) });
  });
  return withManifests(inventory, manifests);
}

/**
 * What repositories would have grown to under a policy, followed all the time. What was deleted before today is not known,
 * and missing from both; blobs that repositories share count in each.
 */
export function sizeOverTime(
  policy: RetentionPolicy | DialectPolicy,
  state: RetentionState,
  now: Date,
  { since, points = pointsFor(state) }: SizeOptions = {},
): readonly SizeAt[] {
  const first = firstOf(state);
  if (!Number.isFinite(first) || first >= now.getTime()) return [];
  const step = Math.max(day, Math.ceil((now.getTime() - first) / (points - 1)));
  const gone = state.inventories.map(() => new Set<Digest>());
  const sizes: SizeAt[] = [];
  for (
    let time = now.getTime() - Math.ceil((now.getTime() - first) / step) * step;
    time <= now.getTime();
    time += step
  ) {
    const at = new Date(time);
    const all = state.inventories.map((inventory) => asOf(inventory, at, state));
    const left = all.map((inventory, i) => withoutDigests(inventory, gone[i]!));
    const isFollowed = !since || time >= since.getTime();
    const steps = isFollowed ? planRetention(policy, { ...state, inventories: left }, at).steps : [];
    const byRepository = new Map(left.map(({ repository }, i) => [repository, gone[i]!]));
    for (const one of steps) {
      if (one.do === "delete manifest") byRepository.get(one.at.slice(0, one.at.indexOf("@")))!.add(one.digest);
    }
    const kept = left.map((inventory, i) => withoutDigests(inventory, gone[i]!));
    sizes.push({ at, without: sum(all.map(sizeOf)), with: sum(kept.map(sizeOf)) });
  }
  return sizes;
}

/** So many that all of it takes seconds, not minutes. */
function pointsFor({ inventories }: RetentionState): number {
  const manifests = sum(inventories.map((inventory) => inventory.manifests.size));
  return Math.round(Math.min(120, Math.max(12, 600_000 / Math.max(1, manifests))));
}

/** When the first of all that is there was pushed; Infinity where nobody knows. */
function firstOf({ inventories, useCreated = false }: RetentionState): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { manifests } of inventories) {
    for (const held of manifests.values()) first = Math.min(first, momentOf(held, "pushed", useCreated) ?? first);
  }
  return first;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Bytes of all manifests of a repository and of what they have, each blob once. */
function sizeOf({ manifests }: Inventory): number {
  const blobs = new Map<Digest, number>();
  let bytes = 0;
  for (const held of manifests.values()) {
    bytes += held.size;
    for (const { digest, size } of held.blobs) blobs.set(digest, size);
  }
  return bytes + sum([...blobs.values()]);
}

function withoutDigests(inventory: Inventory, gone: ReadonlySet<Digest>): Inventory {
  if (gone.size === 0) return inventory;
  return withManifests(inventory, new Map([...inventory.manifests].filter(([digest]) => !gone.has(digest))));
}

const withManifests = (inventory: Inventory, manifests: ReadonlyMap<Digest, Held>): Inventory => ({
  ...inventory,
  manifests,
  tags: new Map([...inventory.tags].filter(([, digest]) => manifests.has(digest))),
});
