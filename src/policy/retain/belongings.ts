import type { Numbered } from "../../graph/numbered.ts";

/** To whom a manifest belongs, by its number, and as what. */
export interface Owner {
  readonly by: number;
  readonly as: "a part of the index" | "attached to";
}

/** Some manifests and all that belongs to them. */
export interface Belongings {
  /** Of each manifest by its number, its owners among these; undefined of one that is not among these. */
  readonly owners: readonly (readonly Owner[] | undefined)[];
  /** Owners before what belongs to them; of a ring of `sha256-*` tags, one comes first. */
  readonly order: readonly number[];
}

/** Finds what belongs to some manifests: their parts, what is attached to them, and so on. */
export function belongings(graph: Numbered, tops: Iterable<number>): Belongings {
  const { held, parts, attached } = graph;
  const owners = Array.from<readonly Owner[] | undefined>({ length: held.length });
  const finished: number[] = [];
  for (const top of tops) visit(top);
  return { owners, order: finished.toReversed() };

  /** Goes down in depth, without a call for each level: chains can be long. */
  function visit(top: number): void {
    if (owners[top]) return;
    owners[top] = [];
    const open = [branch(top)];
    for (let at = open.at(-1); at; at = open.at(-1)) {
      const one = at.below[at.next++];
      if (one === undefined) {
        finished.push(at.number);
        open.pop();
        continue;
      }
      if (one === at.number) continue;
      const owner = at.next <= at.parts ? at.ofParts : at.ofAttached;
      const known = owners[one];
      owners[one] = known ? [...known, ...owner] : owner;
      if (known) continue;
      if (parts[one]!.length === 0 && !attached.has(one)) finished.push(one);
      else open.push(branch(one));
    }
  }

  /** A manifest with what belongs to it: so many parts, then what is attached. */
  function branch(number: number): Branch {
    const children = parts[number]!;
    const attachments = attached.get(number)?.map((one) => one.number);
    attachments?.sort((a, b) => (held[a]!.digest < held[b]!.digest ? -1 : 1));
    const below = attachments ? [...children, ...attachments] : children;
    const ofParts: readonly Owner[] = [{ by: number, as: "a part of the index" }];
    const ofAttached: readonly Owner[] = attachments ? [{ by: number, as: "attached to" }] : ofParts;
    return { number, below, parts: children.length, ofParts, ofAttached, next: 0 };
  }
}

interface Branch {
  readonly number: number;
  readonly below: readonly number[];
  readonly parts: number;
  /** The owners of those of its parts, and of what is attached to it, that have no other: one list for all. */
  readonly ofParts: readonly Owner[];
  readonly ofAttached: readonly Owner[];
  /** The place in `below` that comes next. */
  next: number;
}
