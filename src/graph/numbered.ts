import { hexOf, isDigest, type Digest } from "../oci/digest.ts";
import type { Held, Inventory } from "./inventory.ts";

/**
 * A repository by numbers: its manifests and its tags, each in the order of the inventory, and how they hang together. Each
 * digest is looked up once, here; who goes over 100,000 of them goes by places in arrays from then on.
 */
export interface Numbered {
  readonly held: readonly Held[];
  readonly tags: readonly string[];
  /** The manifest that each tag names; -1 where that is not there. */
  readonly named: Int32Array;
  readonly numbers: ReadonlyMap<Digest, number>;
  /** Of each manifest, the parts that are there. */
  readonly parts: readonly (readonly number[])[];
  /** Of what is attached, all that it says it is attached to: its subject, and whom its tags name, whether they are there or not. */
  readonly bonds: ReadonlyMap<number, readonly Digest[]>;
  /** The same of the tags by which it is attached (`sha256-*`); of those of sha512 digests, which are cut, what is there. */
  readonly tagBonds: ReadonlyMap<number, readonly Digest[]>;
  /** Of what is attached to something that is there, that. */
  readonly subjects: ReadonlyMap<number, readonly number[]>;
  /** The other way round. */
  readonly attached: ReadonlyMap<number, readonly Attached[]>;
}

export interface Attached {
  readonly number: number;
  readonly as: "referrer" | "digest tag";
}

const known = new WeakMap<Inventory, Numbered>();

/** An inventory by numbers; made once for each. */
export function numbered(inventory: Inventory): Numbered {
  const made = known.get(inventory) ?? number(inventory);
  known.set(inventory, made);
  return made;
}

/** The digest whose attachments a tag names (`sha256-<hex>`, perhaps with a suffix); undefined for every other tag, and for those of sha512 digests, which are cut. */
export function subjectOfTag(tag: string): Digest | undefined {
  if (!tag.startsWith("sha256-")) return undefined;
  const digest = /^sha256-[0-9a-f]{64}(?=\.[\w.-]+$|$)/.exec(tag)?.[0].replace("-", ":");
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

const none: readonly never[] = [];

function number({ manifests, tags }: Inventory): Numbered {
  const held = [...manifests.values()];
  const numbers = new Map<Digest, number>();
  for (const { digest } of held) numbers.set(digest, numbers.size);
  const bonds = new Map<number, Digest[]>();
  const tagBonds = new Map<number, readonly Digest[]>();
  const subjects = new Map<number, number[]>();
  const attached = new Map<number, Attached[]>();
  const bind = (one: number, subject: Digest, as: Attached["as"]): void => {
    listAt(bonds, one).push(subject);
    const to = numbers.get(subject);
    if (to === undefined) return;
    listAt(attached, to).push({ number: one, as });
    listAt(subjects, one).push(to);
  };
  const parts = held.map(({ subject, children }, one) => {
    if (subject) bind(one, subject, "referrer");
    if (children.length === 0) return none;
    const found = children.map((child) => numbers.get(child) ?? -1);
    return found.includes(-1) ? found.filter((part) => part >= 0) : found;
  });
  const subjectsOf = tagReader(manifests.keys());
  const names: string[] = [];
  const named = new Int32Array(tags.size);
  // Unlike an iterator, this makes nothing anew for each.
  tags.forEach((digest, tag) => {
    const one = numbers.get(digest) ?? -1;
    const of = subjectsOf(tag);
    if (of.length > 0) tagBonds.set(names.length, of);
    if (one >= 0) for (const subject of of) bind(one, subject, "digest tag");
    named[names.length] = one;
    names.push(tag);
  });
  return { held, tags: names, named, numbers, parts, bonds, tagBonds, subjects, attached };
}

/** Tells to what a tag attaches its image; of cut tags, to all digests that they fit. */
function tagReader(digests: Iterable<Digest>): (tag: string) => readonly Digest[] {
  let cut: ReadonlyMap<string, readonly Digest[]> | undefined;
  return (tag) => {
    if (!tag.startsWith("sha")) return none;
    const subject = subjectOfTag(tag);
    if (subject || !tag.startsWith("sha512-")) return subject ? [subject] : none;
    cut ??= Map.groupBy(digests, (digest) => `sha512-${hexOf(digest).slice(0, 64)}`);
    return (cut.get(tag.slice(0, 71)) ?? none).filter((digest) => digest.startsWith("sha512:"));
  };
}

function listAt<K, T>(lists: Map<K, T[]>, key: K): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
