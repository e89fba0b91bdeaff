import type { Held, Inventory } from "../../graph/inventory.ts";
import { numbered, type Numbered } from "../../graph/numbered.ts";

/** An image that a policy decides about. Moments are milliseconds since 1970. */
export interface Image {
  /** Its number in the graph. */
  readonly number: number;
  readonly held: Held;
  /** The numbers of its tags, without those (`sha256-*`) by which it is attached to others. */
  readonly tags: readonly number[];
  /** When it was last pulled, by its own digest or as a part of an index. */
  readonly pulled: number | undefined;
}

/** What in a repository is decided about; all else belongs to that, and goes or stays with it. */
export interface Contents {
  readonly inventory: Inventory;
  readonly graph: Numbered;
  readonly tagged: readonly Image[];
  /** Images without a tag that are no part of an index and not attached to anything. */
  readonly untagged: readonly Image[];
  /** What is attached, but to nothing that is there. */
  readonly orphans: readonly Image[];
  /** By the number of a manifest, 1 where an index is made of it. */
  readonly isPart: Uint8Array;
  /** Whether anything is known of pulls. */
  readonly tellsPulls: boolean;
}

const none: readonly never[] = [];

/** Sorts what a repository has; in an order that does not depend on how it was read. */
export function contentsOf(inventory: Inventory): Contents {
  const graph = numbered(inventory);
  const { held, bonds, subjects } = graph;
  const isPart = new Uint8Array(held.length);
  for (const parts of graph.parts) for (const part of parts) isPart[part] = 1;
  const tags = tagsByImage(graph);
  const tellsPulls = held.some(({ pulled }) => pulled !== undefined);
  const [tagged, untagged, orphans]: [Image[], Image[], Image[]] = [[], [], []];
  const kindOf = (number: number): Image[] | undefined => {
    if (tags[number]) return tagged;
    if (isPart[number] === 1 || subjects.has(number)) return undefined;
    return bonds.has(number) ? orphans : untagged;
  };
  for (let number = 0; number < held.length; number++) {
    const pulled = tellsPulls ? pulledOf(number, graph) : undefined;
    kindOf(number)?.push({ number, held: held[number]!, tags: tags[number] ?? none, pulled });
  }
  for (const images of [tagged, untagged, orphans]) images.sort((a, b) => (a.held.digest < b.held.digest ? -1 : 1));
  return { inventory, graph, tagged, untagged, orphans, isPart, tellsPulls };
}

/** The tags of each manifest that are not there to attach it; undefined of what has none. */
function tagsByImage({ held, named, tagBonds }: Numbered): readonly (readonly number[] | undefined)[] {
  const tags = Array.from<number[] | undefined>({ length: held.length });
  for (let tag = 0; tag < named.length; tag++) {
    const number = named[tag]!;
    if (number >= 0 && !tagBonds.has(tag)) (tags[number] ??= []).push(tag);
  }
  return tags;
}

function pulledOf(number: number, { held, parts }: Numbered): number | undefined {
  let latest = held[number]!.pulled;
  for (const part of parts[number]!) {
    const { pulled } = held[part]!;
    if (pulled !== undefined && (latest === undefined || pulled > latest)) latest = pulled;
  }
  return latest;
}
