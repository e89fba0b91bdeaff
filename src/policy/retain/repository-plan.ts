import type { Inventory } from "../../graph/inventory.ts";
import { needed, subjectOfTag, type Need, type Root } from "../../graph/needed.ts";
import { freedBy } from "../../graph/usage.ts";
import type { Digest } from "../../oci/digest.ts";
import { belongings } from "./belongings.ts";
import type { Contents } from "./contents.ts";
import { fatesOf, type Fates, type Spared } from "./fates.ts";
import type { Fate, Verdicts } from "./verdicts.ts";

/** A manifest that goes with all its tags, or a tag that goes alone. */
export interface Going {
  readonly digest: Digest;
  /** Absent where the manifest goes. */
  readonly tag?: string;
  readonly why: string;
  readonly rule?: string;
  readonly mayEmpty?: boolean;
  /** The manifests that have to be gone before: indexes that it is a part of, what it is attached to. */
  readonly after: readonly Digest[];
  readonly bytes?: number;
}

/** What stays: a tag, or an image without one. */
export interface Staying {
  readonly digest: Digest;
  readonly tag?: string;
  readonly why: string;
  readonly rule?: string;
}

/** What is to become of one repository; of what goes, each comes after all that has to be gone before. */
export interface RepositoryPlan {
  readonly going: readonly Going[];
  readonly staying: readonly Staying[];
}

/**
 * Holds what a policy says against what needs what. Every tag, and every image without one, goes or stays. A manifest goes
 * when all its tags do and nothing that stays needs it; then its parts and what is attached to it go, too, unless something
 * that stays needs them. What nobody says anything of stays.
 */
export function planRepository(contents: Contents, verdicts: Verdicts, spared: Spared): RepositoryPlan {
  const { inventory } = contents;
  const fates = fatesOf(contents, verdicts, spared);
  const below = belongings(inventory, [...fates.doomed.keys()]);
  const roots: Root[] = [];
  for (const held of inventory.manifests.values()) {
    const why = spared(held);
    if (why !== undefined || !below.has(held.digest)) roots.push({ digest: held.digest, why: why ?? "it stays" });
    else if (held.tags.some((tag) => fates.tags.get(tag)?.goes === false))
      roots.push({ digest: held.digest, why: "it has a tag that stays" });
    else if (fates.untagged.get(held.digest)?.goes === false) roots.push({ digest: held.digest, why: "it stays" });
  }
  const stays = needed(inventory, roots);
  const gone = goneOf(below, stays, fates);
  const { going, staying } = tagsOf(inventory, gone, stays, fates);
  for (const [digest, fate] of fates.untagged) {
    const { tags } = inventory.manifests.get(digest)!;
    if (!gone.has(digest) && tags.length === 0) staying.push({ digest, ...ifNeeded(fate, stays.get(digest)) });
  }
  const freed = freedBy(inventory, gone.keys());
  const manifests = [...gone.values()].map((one) => ({ ...one, bytes: freed.get(one.digest) ?? 0 }));
  return { going: [...manifests, ...going], staying };
}

/** The manifests that go, owners before what belongs to them. */
function goneOf(
  below: ReturnType<typeof belongings>,
  stays: ReadonlyMap<Digest, Need>,
  { doomed }: Fates,
): ReadonlyMap<Digest, Going> {
  const gone = new Map<Digest, Going>();
  for (const [digest, owners] of below) {
    if (stays.has(digest)) continue;
    const before = owners.filter(({ by }) => gone.has(by));
    const after = before.map(({ by }) => by);
    const own = doomed.get(digest);
    const [owner] = before;
    if (own) {
      const { why, rule, mayEmpty } = own;
      gone.set(digest, { digest, why, ...(rule !== undefined && { rule }), ...(mayEmpty && { mayEmpty }), after });
    } else if (owner) {
      const { rule, mayEmpty } = gone.get(owner.by)!;
      const why = `${owner.as} ${owner.by}, which goes`;
      gone.set(digest, { digest, why, ...(rule !== undefined && { rule }), ...(mayEmpty && { mayEmpty }), after });
    }
  }
  return gone;
}

/** The tags that go while their manifests stay, and those that stay. */
function tagsOf(
  inventory: Inventory,
  gone: ReadonlyMap<Digest, Going>,
  stays: ReadonlyMap<Digest, Need>,
  fates: Fates,
): { readonly going: readonly Going[]; readonly staying: Staying[] } {
  const [going, staying]: [Going[], Staying[]] = [[], []];
  for (const [tag, digest] of inventory.tags) {
    if (gone.has(digest)) continue;
    const subject = subjectOfTag(tag);
    if (subject && gone.has(subject)) {
      going.push({ digest, tag, why: `attached to ${subject}, which goes`, after: [subject] });
      continue;
    }
    const fate = subject ? attachedFate(subject, digest) : fates.tags.get(tag)!;
    const { why, rule, goes, mayEmpty } = fate;
    const said = { digest, tag, why, ...(rule !== undefined && { rule }) };
    if (!goes) staying.push(said);
    else going.push({ ...said, ...(mayEmpty && { mayEmpty }), after: [] });
  }
  return { going, staying };

  function attachedFate(subject: Digest, digest: Digest): Fate {
    if (inventory.manifests.has(subject)) return { goes: false, why: `attached to ${subject}` };
    const orphan = fates.untagged.get(digest);
    return orphan ? { goes: false, ...ifNeeded(orphan, stays.get(digest)) } : { goes: false, why: "its image stays" };
  }
}

/** Why something stays: as was said of it, or because of who needs it. */
function ifNeeded({ goes, why, rule }: Fate, need: Need | undefined): Pick<Staying, "why" | "rule"> {
  if (goes) return { why: need?.why ?? "it is needed" };
  return { why, ...(rule !== undefined && { rule }) };
}
