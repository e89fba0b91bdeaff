import { neededIn, subjectOfTag, type Needs } from "../../graph/needed.ts";
import { freedOf } from "../../graph/usage.ts";
import type { Digest } from "../../oci/digest.ts";
import { belongings, type Belongings, type Owner } from "./belongings.ts";
import type { Contents } from "./contents.ts";
import { fatesOf, type Fates } from "./fates.ts";
import type { Fate, FatesByNumber, Verdicts } from "./verdicts.ts";

/** Why a tag stays that a policy is against. */
export const notAlone = "its image stays, and this registry cannot take away one tag";

/** A tag, or an image without one, and what becomes of it. */
export interface Judged {
  /** Of the image; -1 where it is not there. */
  readonly number: number;
  readonly digest: Digest;
  readonly tag: string | undefined;
  readonly fate: Fate;
}

/** What is to become of one repository. */
export interface RepositoryPlan {
  /** The numbers of the manifests that go; each comes after all that has to be gone before. */
  readonly going: readonly number[];
  /** The bytes that go with each of them. */
  readonly freed: readonly number[];
  /** By number, why each of them goes: what the policy says of it, or of what it belongs to. */
  readonly gone: FatesByNumber;
  /** By number, what has to be gone before, where it goes at all: indexes that it is a part of, what it is attached to. */
  readonly owners: Belongings["owners"];
  /** The tags that go while their manifests stay. */
  readonly goingAlone: readonly Judged[];
  readonly staying: readonly Judged[];
}

/**
 * Holds what a policy says against what needs what. Every tag, and every image without one, goes or stays. A manifest goes
 * when all its tags do and nothing that stays needs it; then its parts and what is attached to it go, too, unless something
 * that stays needs them. What nobody says anything of stays.
 */
export function planRepository(contents: Contents, verdicts: Verdicts, spared: FatesByNumber): RepositoryPlan {
  const { graph } = contents;
  const fates = fatesOf(contents, verdicts, spared);
  const below = belongings(graph, fates.doomed.keys());
  const stays = neededIn(graph, rootsOf(contents, fates, below), () => "it stays");
  const [going, gone] = goneOf(contents, below, stays, fates);
  const [goingAlone, staying] = tagsOf(contents, gone, stays, fates);
  for (const [number, fate] of fates.untagged) {
    const { digest, tags } = graph.held[number]!;
    if (gone[number] || tags.length > 0) continue;
    staying.push({ number, digest, tag: undefined, fate: ifNeeded(fate, number, stays) });
  }
  const left = graph.held.filter((_, number) => !gone[number]);
  const freed = freedOf(
    going.map((number) => graph.held[number]!),
    left,
  );
  return { going, freed, gone, owners: below.owners, goingAlone, staying };
}

/** What stays whoever needs it: what is said to stay, or spared, and what nobody says anything of. */
function* rootsOf({ graph, tagged }: Contents, { doomed, spared }: Fates, { owners }: Belongings): Generator<number> {
  for (let one = 0; one < graph.held.length; one++) if (!owners[one]) yield one;
  for (const { number } of tagged) if (!doomed.has(number)) yield number;
  for (let one = 0; one < spared.length; one++) if (spared[one]) yield one;
}

/** The manifests that go, in order and by number. */
function goneOf(
  { graph: { held } }: Contents,
  { owners, order }: Belongings,
  stays: Needs,
  { doomed }: Fates,
): [going: readonly number[], gone: FatesByNumber] {
  const going: number[] = [];
  const gone = Array.from<Fate | undefined>({ length: held.length });
  // Those of one owner follow one another, and share its words.
  let [last, shared]: [Owner | undefined, Fate | undefined] = [undefined, undefined];
  for (const number of order) {
    if (stays.has(number)) continue;
    let fate = doomed.get(number);
    if (!fate) {
      const owner = owners[number]!.find(({ by }) => gone[by]);
      if (!owner) continue;
      if (owner !== last) {
        last = owner;
        shared = { ...gone[owner.by]!, why: `${owner.as} ${held[owner.by]!.digest}, which goes` };
      }
      fate = shared;
    }
    gone[number] = fate;
    going.push(number);
  }
  return [going, gone];
}

/** The tags that go while their manifests stay, and those that stay. */
function tagsOf(
  { inventory, graph }: Contents,
  gone: FatesByNumber,
  stays: Needs,
  fates: Fates,
): [going: Judged[], staying: Judged[]] {
  const { held, tags, named, tagBonds, numbers } = graph;
  const [going, staying]: [Judged[], Judged[]] = [[], []];
  for (let place = 0; place < tags.length; place++) {
    const number = named[place]!;
    if (gone[number]) continue;
    const tag = tags[place]!;
    const subject = tagBonds.get(place)?.[0];
    const said = subject ? attachedFate(subject, number) : fates.ofTag(place, number);
    const fate = (said.goes && boundFate(number)) || said;
    const digest = held[number]?.digest ?? inventory.tags.get(tag)!;
    (fate.goes ? going : staying).push({ number, digest, tag, fate });
  }
  return [going, staying];

  /** Of a tag that would go alone: why it stays, where its registry cannot do that. */
  function boundFate(number: number): Fate | undefined {
    const { tagDeletion } = inventory;
    if (tagDeletion === "impossible") return { goes: false, why: notAlone };
    const isLast = fates.doomed.has(number) && !held[number]!.tags.some((one) => subjectOfTag(one));
    if (tagDeletion !== "takes the image along" || !isLast) return undefined;
    return {
      goes: false,
      why: `with its last tag the image would go, and it is needed: ${stays.need(number)?.why ?? "it stays"}`,
    };
  }
  function attachedFate(subject: Digest, number: number): Fate {
    if (numbers.has(subject)) return { goes: false, why: `attached to ${subject}` };
    const orphan = fates.untagged.get(number);
    return orphan ? ifNeeded(orphan, number, stays) : { goes: false, why: "its image stays" };
  }
}

/** Of something that stays: what was said of it or, where that was that it goes, who needs it. */
function ifNeeded(said: Fate, number: number, stays: Needs): Fate {
  return said.goes ? { goes: false, why: stays.need(number)?.why ?? "it is needed" } : said;
}
