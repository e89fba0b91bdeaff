import type { Digest } from "../oci/digest.ts";
import { isIndexType } from "../oci/media-types.ts";
import { fitsOne } from "../policy/pattern.ts";
import type { SyncRule } from "../policy/sync/parse.ts";
import type { Goal, Wanted } from "../policy/sync/state.ts";
import type { Origin, Target } from "../policy/sync/template.ts";
import type { Verified } from "./cache.ts";
import { messageOf } from "./message.ts";
import { askForPulls } from "./pulls.ts";
import type { Reading } from "./read-sync.ts";
import { lacking } from "./requirements.ts";
import { asDigest, type SourceView } from "./source-view.ts";

/** Manifests of an index, where nobody has counted them: common images have about so many. */
const usualIndex = 8;

/** Where an image is looked at. */
export interface At {
  readonly rule: SyncRule;
  readonly origin: Origin;
  readonly source: SourceView;
  readonly reading: Reading;
  /** Whether it is one of all tags, and not the only one that is named. */
  readonly listed: boolean;
}

/** Finds out of each image whether it is at its destinations; what cannot be read fails alone. */
export async function readImages(at: At, all: readonly string[]): Promise<readonly Wanted[]> {
  const { source } = at;
  const misnamed = at.origin.registry === undefined ? all.flatMap((ref) => misnamedAt(at, ref)) : [];
  const refs = all.filter((ref) => !misnamed.some(({ tag }) => tag === ref));
  const fixed = new Map(await Promise.all(refs.map(async (ref) => [ref, await whereFixed(at, ref)] as const)));
  const asked = refs.filter((ref) => fixed.get(ref) === undefined);
  const found = await source.targets(asked, await copiedOf(at, asked));
  const images = await Promise.all(
    refs.map(async (ref): Promise<Wanted> => {
      const tag = asDigest(ref) ? undefined : ref;
      const named = tag === undefined ? {} : { tag };
      const there = fixed.get(ref);
      const nothing = { ...named, pulls: 0, lacks: [] };
      if (there) return { ...nothing, targets: there.map((target) => ({ ...target, state: "fixed" })) };
      const target = found.get(ref);
      if (!target) return { ...nothing, targets: [], failed: "it is not there" };
      if ("error" in target)
        return { ...nothing, targets: [], failed: `it cannot be read: ${messageOf(target.error)}` };
      return readImage(at, tag, target);
    }),
  );
  await askForPulls(at, images);
  return [...misnamed, ...images];
}

/** An image of a local place whose name there makes no destination. */
function misnamedAt({ rule, origin }: At, tag: string): readonly Wanted[] {
  try {
    for (const template of rule.to) template.target(origin, { tag, digest: unknownDigest });
    return [];
  } catch (error) {
    return [{ tag, pulls: 0, lacks: [], targets: [], failed: messageOf(error) }];
  }
}

/** The destinations of a tag that never moves, where it is at all of them. */
async function whereFixed({ rule, origin, reading }: At, tag: string): Promise<readonly Target[] | undefined> {
  if (!fitsOne(rule.immutable, tag)) return undefined;
  const targets = rule.to.map((template) => template.target(origin, { tag, digest: unknownDigest }));
  const there = targets.map(async ({ place, at, tag: name }) => {
    if (name === undefined) return false;
    if (remembered(reading, place, at)) return true;
    return (await reading.destination(place).tags())?.has(name) ?? false;
  });
  return (await Promise.all(there)).every(Boolean) ? targets : undefined;
}

/**
 * The tags of which some destination has none, so that they are copied, whatever they name. Where something may still keep
 * them from it, they are not told of.
 */
async function copiedOf({ rule, origin, reading }: At, refs: readonly string[]): Promise<ReadonlySet<string>> {
  const isSure = reading.handed && rule.require.length === 0 && rule.quotaReserve === undefined && !rule.budget;
  if (!isSure) return new Set();
  const goals = refs
    .filter((ref) => asDigest(ref) === undefined)
    .flatMap((ref) =>
      rule.to.map((template) => ({ ref, to: template.target(origin, { tag: ref, digest: unknownDigest }) })),
    )
    .filter(({ to }) => to.tag !== undefined && !remembered(reading, to.place, to.at));
  const places = [...new Set(goals.map(({ to }) => to.place))];
  // What cannot be looked at fails where it is looked at for the plan.
  const list = async (place: string) =>
    reading
      .destination(place)
      .tags()
      .catch(() => undefined);
  const lists = new Map(await Promise.all(places.map(async (place) => [place, await list(place)] as const)));
  return new Set(goals.flatMap(({ ref, to }) => (lists.get(to.place)?.has(to.tag!) === false ? [ref] : [])));
}

function remembered(reading: Reading, place: string, at: string): Verified | undefined {
  return reading.recheck || reading.destination(place).isLocal ? undefined : reading.cache?.find(at);
}

/** In the place of a digest that nobody knows yet, and that changes nothing. */
export const unknownDigest: Digest = `sha256:${"0".repeat(64)}`;

async function readImage(
  at: At,
  tag: string | undefined,
  { digest, mediaType }: { readonly digest: Digest; readonly mediaType?: string },
): Promise<Wanted> {
  const { rule, origin, source } = at;
  const index = mediaType === undefined || isIndexType(mediaType);
  const wanted = {
    digest,
    pulls: index ? 1 + (rule.platforms?.length ?? usualIndex) : 1,
    ...(tag !== undefined && { tag }),
  };
  const mark = await markFor(at, digest);
  const targets = rule.to.map((template) => template.target(origin, wanted));
  const goals = await Promise.all(targets.map((target) => readGoal(at, tag, digest, mark, target)));
  const needy = rule.require.length > 0 && goals.some(({ state }) => state === "other" || state === "bare");
  try {
    const lacks = needy ? lacking(rule.require, await source.attachedTypes(digest)) : [];
    return { ...wanted, lacks, targets: goals };
  } catch (error) {
    if (at.reading.signal?.aborted) throw error;
    const why = `what is attached to it cannot be read: ${messageOf(error)}`;
    return { ...wanted, lacks: [], targets: goals.map((goal) => ({ ...goal, state: "failed", why })) };
  }
}

/** What a memory of this image goes by: from where and how it is copied, and the tags at the source that are attached to it. */
async function markFor({ rule, origin, source, listed }: At, digest: Digest): Promise<string> {
  const { platforms, referrers, require } = rule;
  const hung = listed && referrers ? await source.attachedTags(digest) : [];
  return JSON.stringify([origin.place, platforms, referrers, require, hung]);
}

async function readGoal(
  { rule, source, reading }: At,
  tag: string | undefined,
  digest: Digest,
  mark: string,
  to: Target,
): Promise<Goal> {
  const target = { ...to, mark };
  const { cache, now: time } = reading;
  try {
    const known = remembered(reading, target.place, target.at);
    if (known?.digest === digest && known.mark === mark) return { ...target, state: "fresh" };
    const destination = reading.destination(target.place);
    const tags = await destination.tags();
    if (target.tag !== undefined && tags && !tags.has(target.tag)) return { ...target, state: "other", now: null };
    if (tag !== undefined && target.tag !== undefined && fitsOne(rule.immutable, tag) && tags)
      return { ...target, state: "fixed" };
    const expected = async (): Promise<Digest> => (rule.platforms ? source.digestFor(digest, rule.platforms) : digest);
    const now = await destination.now(target.tag ?? (destination.isImage ? "" : await expected()));
    if (now === null || now !== (await expected())) return { ...target, state: "other", now };
    const missing = rule.referrers ? await destination.missing(await source.attached(digest, rule.platforms)) : 0;
    if (missing > 0)
      return { ...target, now, state: "bare", why: `it is there, and ${missing} of what is attached to it not` };
    cache?.note(target.at, { digest, mark, at: time.getTime() });
    return { ...target, now, state: "current" };
  } catch (error) {
    if (reading.signal?.aborted) throw error;
    return { ...target, state: "failed", why: messageOf(error) };
  }
}
