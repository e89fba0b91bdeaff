import type { Digest } from "../oci/digest.ts";
import type { Inventory } from "./inventory.ts";

/** Something that stays, and why. */
export interface Root {
  readonly digest: Digest;
  readonly why: string;
}

/** Why a manifest is needed, and by whom. */
export interface Need {
  /** `root`, or how it belongs to what needs it. */
  readonly as: "root" | "child" | "referrer" | "digest tag" | "subject";
  /** The manifest that needs it; of a root, itself. */
  readonly by: Digest;
  readonly why: string;
}

/**
 * All manifests of a repository that have to stay for the roots to stay whole: the roots, the children of needed indexes,
 * what is attached to needed manifests (referrers, and what `sha256-*` tags name), and the subjects of needed referrers.
 * The one rule by which everything that deletes goes.
 */
export function needed(inventory: Inventory, roots: Iterable<Root>): ReadonlyMap<Digest, Need> {
  const found = new Map<Digest, Need>();
  const open: Digest[] = [];
  const need = (digest: Digest, reason: Need): void => {
    if (found.has(digest) || !inventory.manifests.has(digest)) return;
    found.set(digest, reason);
    open.push(digest);
  };
  const attached = attachedBySubject(inventory);
  for (const { digest, why } of roots) need(digest, { as: "root", by: digest, why });
  for (let by = open.pop(); by !== undefined; by = open.pop()) {
    const held = inventory.manifests.get(by)!;
    for (const child of held.children) need(child, { as: "child", by, why: `a part of the index ${by}` });
    for (const { digest, as } of attached.get(by) ?? []) need(digest, { as, by, why: `attached to ${by}` });
    if (held.subject) need(held.subject, { as: "subject", by, why: `${by} is attached to it` });
  }
  return found;
}

/** The digest whose attachments a tag names (`sha256-<hex>`, perhaps with a suffix); undefined for every other tag. */
export function subjectOfTag(tag: string): Digest | undefined {
  const [, algorithm, hex] = /^(sha256)-([0-9a-f]{64})(?:\.[\w.-]+)?$/.exec(tag) ?? [];
  return algorithm === undefined ? undefined : (`${algorithm}:${hex}` as Digest);
}

type Attached = { readonly digest: Digest; readonly as: "referrer" | "digest tag" };

function attachedBySubject({ manifests, tags }: Inventory): ReadonlyMap<Digest, readonly Attached[]> {
  const attached = new Map<Digest, Attached[]>();
  const add = (subject: Digest, one: Attached): void => {
    const known = attached.get(subject);
    if (known) known.push(one);
    else attached.set(subject, [one]);
  };
  for (const { digest, subject } of manifests.values()) if (subject) add(subject, { digest, as: "referrer" });
  for (const [tag, digest] of tags) {
    const subject = subjectOfTag(tag);
    if (subject) add(subject, { digest, as: "digest tag" });
  }
  return attached;
}
