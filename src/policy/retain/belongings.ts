import type { Inventory } from "../../graph/inventory.ts";
import type { Digest } from "../../oci/digest.ts";
import { subjectsOf } from "./contents.ts";

/** To whom a manifest belongs, and as what. */
export interface Owner {
  readonly by: Digest;
  readonly as: "a part of the index" | "attached to";
}

/**
 * Some manifests and all that belongs to them: their parts, what is attached to them, and so on; with their owners among
 * these. Owners come before what belongs to them (of a ring of `sha256-*` tags, one comes first).
 */
export function belongings(inventory: Inventory, tops: readonly Digest[]): ReadonlyMap<Digest, readonly Owner[]> {
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
  const found = new Map<Digest, readonly Owner[]>();
  for (const digest of finished.toReversed()) found.set(digest, owners.get(digest)!);
  return found;

  /** Goes down in depth, without a call for each level: chains can be long. */
  function visit(top: Digest): void {
    if (owners.has(top)) return;
    owners.set(top, []);
    const open = [{ digest: top, below: belowOf(top), next: 0 }];
    for (let at = open.at(-1); at; at = open.at(-1)) {
      const below = at.below[at.next++];
      if (!below) {
        finished.push(at.digest);
        open.pop();
        continue;
      }
      const { digest, as } = below;
      if (!manifests.has(digest) || digest === at.digest) continue;
      const known = owners.get(digest);
      if (known) known.push({ by: at.digest, as });
      else {
        owners.set(digest, [{ by: at.digest, as }]);
        open.push({ digest, below: belowOf(digest), next: 0 });
      }
    }
  }

  function belowOf(digest: Digest): readonly { readonly digest: Digest; readonly as: Owner["as"] }[] {
    const children = manifests.get(digest)?.children ?? [];
    return [
      ...children.map((child) => ({ digest: child, as: "a part of the index" as const })),
      ...(attached.get(digest) ?? []).map((one) => ({ digest: one, as: "attached to" as const })),
    ];
  }
}
