import { hexOf, isDigest, type Digest } from "../oci/digest.ts";
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
 * what is attached to needed manifests (referrers, and what `sha256-*` tags name), and what needed manifests are attached
 * to in either way. The one rule by which everything that deletes goes; docs/decisions/0016-graph-safety.md says why.
 */
export function needed(inventory: Inventory, roots: Iterable<Root>): ReadonlyMap<Digest, Need> {
  const { manifests } = inventory;
  const found = new Map<Digest, Need>();
  const open: Digest[] = [];
  const need = (digest: Digest, as: Need["as"], by: Digest, why: string): void => {
    if (found.has(digest) || !manifests.has(digest)) return;
    found.set(digest, { as, by, why });
    open.push(digest);
  };
  const { attached, subjects } = attachmentsIn(inventory);
  for (const { digest, why } of roots) need(digest, "root", digest, why);
  for (let by = open.pop(); by !== undefined; by = open.pop()) {
    for (const child of manifests.get(by)!.children) need(child, "child", by, `a part of the index ${by}`);
    for (const { digest, as } of attached.get(by) ?? []) need(digest, as, by, `attached to ${by}`);
    for (const subject of subjects.get(by) ?? []) need(subject, "subject", by, `${by} is attached to it`);
  }
  return found;
}

/** The same of each root for itself, for many roots: calls `visit` with all that one of them needs. */
export function neededByEach(
  inventory: Inventory,
  roots: Iterable<Digest>,
  visit: (root: Digest, needs: ReadonlySet<Digest>) => void,
): void {
  const { manifests } = inventory;
  const { attached, subjects } = attachmentsIn(inventory);
  for (const root of roots) {
    const needs = new Set<Digest>(manifests.has(root) ? [root] : []);
    // A set yields what is added while it is gone through.
    for (const by of needs) {
      const next = [
        manifests.get(by)!.children,
        (attached.get(by) ?? []).map(({ digest }) => digest),
        subjects.get(by) ?? [],
      ];
      for (const digest of next.flat()) if (manifests.has(digest)) needs.add(digest);
    }
    visit(root, needs);
  }
}

/** The digest whose attachments a tag names (`sha256-<hex>`, perhaps with a suffix); undefined for every other tag, and for those of sha512 digests, which are cut. */
export function subjectOfTag(tag: string): Digest | undefined {
  if (!tag.startsWith("sha256-")) return undefined;
  const digest = /^sha256-[0-9a-f]{64}(?=\.[\w.-]+$|$)/.exec(tag)?.[0].replace("-", ":");
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

type Attached = { readonly digest: Digest; readonly as: "referrer" | "digest tag" };

/** What is attached to each manifest that is there, and to which manifests each is attached. */
function attachmentsIn({ manifests, tags }: Inventory): {
  readonly attached: ReadonlyMap<Digest, readonly Attached[]>;
  readonly subjects: ReadonlyMap<Digest, readonly Digest[]>;
} {
  const attached = new Map<Digest, Attached[]>();
  const subjects = new Map<Digest, Digest[]>();
  const add = (subject: Digest, digest: Digest, as: Attached["as"]): void => {
    listAt(attached, subject).push({ digest, as });
    listAt(subjects, digest).push(subject);
  };
  for (const { digest, subject } of manifests.values()) if (subject) add(subject, digest, "referrer");
  const cut = new Map<string, Digest[]>();
  for (const digest of manifests.keys()) {
    if (digest.startsWith("sha512:")) listAt(cut, `sha512-${hexOf(digest).slice(0, 64)}`).push(digest);
  }
  for (const [tag, digest] of tags) {
    const subject = subjectOfTag(tag);
    if (subject) add(subject, digest, "digest tag");
    else if (cut.size > 0) for (const one of cut.get(tag.slice(0, 71)) ?? []) add(one, digest, "digest tag");
  }
  return { attached, subjects };
}

function listAt<K, T>(lists: Map<K, T[]>, key: K): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
