import type { Held, Inventory } from "../../graph/inventory.ts";
import type { Digest } from "../../oci/digest.ts";
import { subjectsOf } from "./contents.ts";

/** To whom a manifest belongs, and as what. */
export interface Owner {
  readonly by: Digest;
  readonly as: "a part of the index" | "attached to";
}

/** Some manifests and all that belongs to them. */
export interface Belongings {
  /** Of each of them, its owners among these. */
  readonly owners: ReadonlyMap<Digest, readonly Owner[]>;
  /** Owners before what belongs to them; of a ring of `sha256-*` tags, one comes first. */
  readonly order: readonly Digest[];
}

/** Finds what belongs to some manifests: their parts, what is attached to them, and so on. */
export function belongings(inventory: Inventory, tops: readonly Digest[]): Belongings {
  const { manifests } = inventory;
  const attached = new Map<Digest, Digest[]>();
  for (const held of manifests.values()) {
    for (const subject of subjectsOf(held)) {
      const known = attached.get(subject);
      if (known) known.push(held.digest);
      else attached.set(subject, [held.digest]);
    }
  }
  for (const all of attached.values()) all.sort();
  const owners = new Map<Digest, Owner[]>();
  const finished: Digest[] = [];
  for (const top of tops) visit(top);
  return { owners, order: finished.toReversed() };

  /** Goes down in depth, without a call for each level: chains can be long. */
  function visit(top: Digest): void {
    if (owners.has(top)) return;
    owners.set(top, []);
    const open = [branch(top, manifests.get(top))];
    for (let at = open.at(-1); at; at = open.at(-1)) {
      const digest = at.below[at.next++];
      if (digest === undefined) {
        finished.push(at.digest);
        open.pop();
        continue;
      }
      const held = digest === at.digest ? undefined : manifests.get(digest);
      if (!held) continue;
      const owner = at.next <= at.parts ? at.ofParts : at.ofAttached;
      const known = owners.get(digest);
      if (known) {
        known.push(owner);
        continue;
      }
      owners.set(digest, [owner]);
      if (held.children.length === 0 && !attached.has(digest)) finished.push(digest);
      else open.push(branch(digest, held));
    }
  }

  /** A manifest with what belongs to it: so many parts, then what is attached. */
  function branch(digest: Digest, held: Held | undefined): Branch {
    const children = held?.children ?? [];
    const attachments = attached.get(digest);
    const below = attachments ? [...children, ...attachments] : children;
    const ofParts: Owner = { by: digest, as: "a part of the index" };
    const ofAttached: Owner = attachments ? { by: digest, as: "attached to" } : ofParts;
    return { digest, below, parts: children.length, ofParts, ofAttached, next: 0 };
  }
}

interface Branch {
  readonly digest: Digest;
  readonly below: readonly Digest[];
  readonly parts: number;
  readonly ofParts: Owner;
  readonly ofAttached: Owner;
  /** The place in `below` that comes next. */
  next: number;
}
