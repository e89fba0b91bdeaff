import type { Inventory } from "../../graph/inventory.ts";
import { needed, subjectOfTag, type Need, type Root } from "../../graph/needed.ts";
import { freedBy } from "../../graph/usage.ts";
import type { Digest } from "../../oci/digest.ts";
import { belongings, type Belongings, type Owner } from "./belongings.ts";
import type { Contents } from "./contents.ts";
import { fatesOf, type Fates, type Spared } from "./fates.ts";
import type { Fate, Verdicts } from "./verdicts.ts";

/** A manifest that goes with all its tags, or a tag that goes alone. */
export interface Going {
  readonly digest: Digest;
  /** Undefined where the manifest goes. */
  readonly tag: string | undefined;
  readonly why: string;
  /** What the policy says of it, or of what it belongs to. */
  readonly fate: Fate | undefined;
  /** What has to be gone before, where it goes at all: indexes that it is a part of, what it is attached to. */
  readonly after: readonly Owner[];
}

/** Why a tag stays that a policy is against. */
export const notAlone = "its image stays, and this registry cannot take away one tag";

/** What stays: a tag, or an image without one. */
export interface Staying {
  readonly digest: Digest;
  readonly tag: string | undefined;
  readonly why: string;
  readonly rule?: string | undefined;
}

/** What is to become of one repository; of what goes, each comes after all that has to be gone before. */
export interface RepositoryPlan {
  readonly going: readonly Going[];
  readonly staying: readonly Staying[];
  /** The bytes that go with each manifest. */
  readonly freed: ReadonlyMap<Digest, number>;
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
  const stays = needed(inventory, rootsOf(contents, fates, below));
  const gone = goneOf(below, stays, fates);
  const { going, staying } = tagsOf(inventory, gone, stays, fates);
  for (const [digest, fate] of fates.untagged) {
    const { tags } = inventory.manifests.get(digest)!;
    if (gone.has(digest) || tags.length > 0) continue;
    staying.push({ digest, tag: undefined, ...ifNeeded(fate, stays.get(digest)) });
  }
  return { going: [...gone.values(), ...going], staying, freed: freedBy(inventory, gone.keys()) };
}

/** What stays whoever needs it: what is said to stay, or spared, and what nobody says anything of. */
function* rootsOf({ inventory, tagged }: Contents, { doomed, spared }: Fates, { owners }: Belongings): Generator<Root> {
  for (const digest of inventory.manifests.keys()) if (!owners.has(digest)) yield { digest, why: "it stays" };
  for (const { held } of tagged) {
    if (!doomed.has(held.digest)) yield { digest: held.digest, why: "it has a tag that stays" };
  }
  for (const [digest, { why }] of spared) yield { digest, why };
}

/** The manifests that go, owners before what belongs to them. */
function goneOf(
  { owners, order }: Belongings,
  stays: ReadonlyMap<Digest, Need>,
  { doomed }: Fates,
): ReadonlyMap<Digest, Going> {
  const gone = new Map<Digest, Going>();
  // Those of one owner follow one another, and share its words.
  let [last, why]: [Owner | undefined, string] = [undefined, ""];
  for (const digest of order) {
    if (stays.has(digest)) continue;
    const after = owners.get(digest)!;
    const fate = doomed.get(digest);
    if (fate) {
      gone.set(digest, { digest, tag: undefined, why: fate.why, fate, after });
      continue;
    }
    const owner = after.find(({ by }) => gone.has(by));
    if (!owner) continue;
    if (owner !== last) [last, why] = [owner, `${owner.as} ${owner.by}, which goes`];
    gone.set(digest, { digest, tag: undefined, why, fate: gone.get(owner.by)!.fate, after });
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
    const said = subject ? attachedFate(subject, digest) : fates.ofTag(tag, digest);
    const fate = (said.goes && boundFate(digest)) || said;
    if (fate.goes) going.push({ digest, tag, why: fate.why, fate, after: [] });
    else staying.push({ digest, tag, why: fate.why, rule: fate.rule });
  }
  return { going, staying };

  /** Of a tag that would go alone: why it stays, where its registry cannot do that. */
  function boundFate(digest: Digest): Fate | undefined {
    const { tagDeletion, manifests } = inventory;
    if (tagDeletion === "impossible") return { goes: false, why: notAlone };
    const isLast = fates.doomed.has(digest) && !manifests.get(digest)!.tags.some((one) => subjectOfTag(one));
    if (tagDeletion !== "takes the image along" || !isLast) return undefined;
    return {
      goes: false,
      why: `with its last tag the image would go, and it is needed: ${stays.get(digest)?.why ?? "it stays"}`,
    };
  }

  function attachedFate(subject: Digest, digest: Digest): Fate {
    if (inventory.manifests.has(subject)) return { goes: false, why: `attached to ${subject}` };
    const orphan = fates.untagged.get(digest);
    return orphan ? { goes: false, ...ifNeeded(orphan, stays.get(digest)) } : { goes: false, why: "its image stays" };
  }
}

/** Why something stays: as was said of it, or because of who needs it. */
function ifNeeded({ goes, why, rule }: Fate, need: Need | undefined): Pick<Fate, "why" | "rule"> {
  if (goes) return { why: need?.why ?? "it is needed" };
  return { why, ...(rule !== undefined && { rule }) };
}
