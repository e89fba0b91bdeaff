import { fitsOne, parsePattern, type Pattern } from "../pattern.ts";
import { readSpan } from "../../config/quantity.ts";
import { compareVersions, versionOf, type Version } from "../version.ts";
import type { Image } from "./contents.ts";
import { momentOf, wordOf } from "./moment.ts";
import type { Keep, Moment, RetentionRule } from "./retention.ts";
import { readStreams, versionStream } from "./streams.ts";
import type { Fate } from "./verdicts.ts";

/** What a rule decides about, in columns: there may be 100,000. */
export interface Selection {
  readonly images: readonly Image[];
  /** A tag of each; of images without one, undefined. */
  readonly tags: readonly (string | undefined)[];
}

/** What a rule is told of a repository beside what it selects. */
export interface Circumstances {
  readonly now: number;
  readonly useCreated: boolean;
  readonly tellsPulls: boolean;
}

/** A rule, ready to decide. */
export interface CompiledRule {
  readonly label: string;
  readonly kind: "tags" | "untagged" | "orphaned";
  isFor(repository: string): boolean;
  selects(tag: string): boolean;
  /** What becomes of all that it selects in one repository, in the same order. */
  decide(selected: Selection, circumstances: Circumstances): readonly Fate[];
  readonly needsPulls: boolean;
}

const patternsOf = (texts: readonly string[] | undefined): readonly Pattern[] | undefined =>
  texts?.map((text) => parsePattern(text));

/** Reads a rule that is right. */
export function compileRule(rule: RetentionRule, place: number, inPolicy: Moment = "pushed"): CompiledRule {
  const label = rule.name ?? `rules[${place}]`;
  const by = rule.by ?? inPolicy;
  const [repositories, tags] = [patternsOf(rule.repositories), patternsOf(rule.tags)];
  const except = patternsOf(rule.except) ?? [];
  const keeps = [rule.keep ?? []].flat().map((keep) => compileKeep(keep, by));
  const olderThan = rule.delete && readSpan(rule.delete.olderThan)!;
  const base = { rule: label };
  const gone = { goes: true, ...base, ...(rule.allowEmpty && { mayEmpty: true }) };
  const leftOver: Fate = { ...gone, why: notKept(rule) };
  const ages = (word: string): { readonly older: Fate; readonly younger: Fate } => ({
    older: { ...gone, why: `${word} more than ${rule.delete?.olderThan} ago` },
    younger: { goes: false, why: `${word} less than ${rule.delete?.olderThan} ago`, ...base },
  });
  const byAge = { pushed: ages("pushed"), built: ages("built") };
  const unknown = (untold: Moment): Fate => ({ goes: false, why: unknownWhy[untold], ...base, untold });
  const byUnknown = { pushed: unknown("pushed"), created: unknown("created") };
  return {
    label,
    kind: rule.untagged ? "untagged" : rule.orphaned ? "orphaned" : "tags",
    isFor: (repository) =>
      !repositories ||
      fitsOne(repositories, repository) ||
      fitsOne(repositories, repository.slice(repository.indexOf("/") + 1)),
    selects: (tag) => (!tags || fitsOne(tags, tag)) && !fitsOne(except, tag),
    needsPulls: keeps.some(({ needsPulls }) => needsPulls),
    decide(selected, circumstances) {
      const { images } = selected;
      const kept = Array.from<string | undefined>({ length: images.length });
      for (const keep of keeps) keep.addReasons(kept, selected, circumstances);
      return images.map(({ held }, i): Fate => {
        const why = kept[i];
        if (why === unknownWhy.pushed) return byUnknown.pushed;
        if (why === unknownWhy.created) return byUnknown.created;
        if (why !== undefined) return { goes: false, why, rule: label };
        if (olderThan === undefined) return leftOver;
        const moment = momentOf(held, by, circumstances.useCreated);
        if (moment === undefined) return byUnknown[by];
        const { older, younger } = byAge[wordOf(held, by)];
        return circumstances.now - moment > olderThan ? older : younger;
      });
    },
  };
}

/** Why what no condition keeps goes. */
function notKept({ keep = [] }: RetentionRule): string {
  const said = [keep]
    .flat()
    .flatMap(({ newest, per, youngerThan, pulledWithin }) => [
      ...(newest === undefined ? [] : [`among the newest ${newest}${per === undefined ? "" : ` per ${per}`}`]),
      ...(youngerThan === undefined ? [] : [`younger than ${youngerThan}`]),
      ...(pulledWithin === undefined ? [] : [`pulled within ${pulledWithin}`]),
    ]);
  return `not ${said.join(", nor ")}`;
}

interface CompiledKeep {
  /** Adds why each is kept that this keeps, where there is no reason yet but that something is not known. */
  addReasons(kept: Reasons, selected: Selection, circumstances: Circumstances): void;
  readonly needsPulls: boolean;
}

/** Why each of what a rule selects is kept. */
type Reasons = (string | undefined)[];

/** What is kept by nothing else stays by these. */
const unknownWhy: Readonly<Record<Moment, string>> = {
  pushed: "it is not known when it was pushed",
  created: "it is not known when it was created",
};

const isSettled = (why: string | undefined): boolean =>
  why !== undefined && why !== unknownWhy.pushed && why !== unknownWhy.created;

function compileKeep(keep: Keep, inRule: Moment): CompiledKeep {
  const { always, newest, per, youngerThan, pulledWithin } = keep;
  const by = keep.by ?? inRule;
  const moment = by === "semver" ? inRule : by;
  const [young, pulled] = [youngerThan, pulledWithin].map((text) => (text === undefined ? undefined : readSpan(text)!));
  const reasonFor = (image: Image, { now, useCreated, tellsPulls }: Circumstances): string | undefined => {
    if (always) return "the rule keeps it always";
    const time = momentOf(image.held, moment, useCreated);
    if (young !== undefined && time !== undefined && now - time <= young)
      return `${wordOf(image.held, moment)} within ${youngerThan}`;
    const isPulled = pulled !== undefined && image.pulled !== undefined;
    if (isPulled && now - image.pulled <= pulled) return `pulled within ${pulledWithin}`;
    if (time === undefined) {
      const isUnknown = young !== undefined || (pulled !== undefined && !isPulled);
      return isUnknown ? unknownWhy[moment] : undefined;
    }
    if (pulled === undefined) return undefined;
    if (!tellsPulls) return "it is not known whether it is pulled";
    if (now - time > pulled) return undefined;
    return `${image.pulled === undefined ? "never pulled" : "not pulled since"}, but ${wordOf(image.held, moment)} within ${pulledWithin}`;
  };
  return {
    needsPulls: pulled !== undefined,
    addReasons(kept, selected, circumstances) {
      const among = newest === undefined ? undefined : newestOf(selected, newest, by, per, circumstances.useCreated);
      selected.images.forEach((image, i) => {
        if (isSettled(kept[i])) return;
        const own = among?.[i];
        kept[i] = (isSettled(own) ? own : reasonFor(image, circumstances)) ?? own ?? kept[i];
      });
    },
  };
}

/** Which are among the newest of their stream. Tags of one image, and of one version, take up one place. */
function newestOf(
  { images, tags }: Selection,
  most: number,
  by: Moment | "semver",
  per: Keep["per"],
  useCreated: boolean,
): Reasons {
  const versionsPer = per === "major" || per === "minor" ? per : undefined;
  const streamOf = per === undefined || versionsPer ? undefined : readStreams(per);
  const why = `among the newest ${most}${per === undefined ? "" : ` per ${per}`}${by === "semver" ? " by version" : ""}`;
  const reasons = Array.from<string | undefined>({ length: tags.length });
  const versions = new Map<number, Version>();
  const streams = new Map<string, number[]>();
  /** Which stream a tag is of; undefined, with why it stays, for one that is of none. */
  const streamFor = (tag: string, i: number): string | undefined => {
    const own = streamOf ? streamOf(tag) : "";
    if (own === undefined) reasons[i] = `it is of no stream (${per})`;
    if (own === undefined || !(by === "semver" || versionsPer)) return own;
    const version = versionOf(tag);
    if (version) versions.set(i, version);
    else reasons[i] = "it is no version";
    return version && `${own}\n${versionStream(version, versionsPer)}`;
  };
  tags.forEach((tag = "", i) => {
    const key = streamFor(tag, i);
    if (key === undefined) return;
    const stream = streams.get(key);
    if (stream) stream.push(i);
    else streams.set(key, [i]);
  });
  for (const stream of streams.values()) {
    const places =
      by === "semver"
        ? byVersion(versions, stream).slice(0, most)
        : byMoment(images, stream, most, by, useCreated, reasons);
    for (const place of places) for (const i of place) reasons[i] = why;
  }
  return reasons;
}

/** The first places of a stream, newest first, each with those that share it; those of no known moment are kept and take none. */
function byMoment(
  images: readonly Image[],
  stream: readonly number[],
  most: number,
  by: Moment,
  useCreated: boolean,
  reasons: Reasons,
): readonly (readonly number[])[] {
  const imageAt = (at: number): Image => images[stream[at]!]!;
  const times = new Float64Array(stream.length);
  // The tags of one image follow one another, and its first one stands for them.
  const firsts: number[] = [];
  stream.forEach((i, at) => {
    const image = imageAt(at);
    const time = momentOf(image.held, by, useCreated);
    times[at] = time ?? 0;
    if (time === undefined) reasons[i] = unknownWhy[by];
    else if (at === 0 || image !== imageAt(at - 1)) firsts.push(at);
  });
  firsts.sort((a, b) => times[b]! - times[a]!);
  return firsts.slice(0, most).map((first) => {
    let end = first + 1;
    while (end < stream.length && imageAt(end) === imageAt(first)) end++;
    return stream.slice(first, end);
  });
}

/** The same by version. An alias (`1.2`) is as new as the newest version that it stands for, and shares its place. */
function byVersion(all: ReadonlyMap<number, Version>, stream: readonly number[]): readonly (readonly number[])[] {
  const versions = stream.map((i) => ({ i, version: all.get(i)! }));
  versions.sort((a, b) => compareVersions(b.version, a.version));
  const newest = new Map<string, Version>();
  for (const { version } of versions) {
    for (const parts of [1, 2] as const) {
      const key = numbersOf(version, parts);
      if (version.parts > parts && !newest.has(key)) newest.set(key, version);
    }
  }
  const places = new Map<string, { readonly version: Version; readonly all: number[] }>();
  for (const { i, version } of versions) {
    const stood = version.parts < 3 ? (newest.get(numbersOf(version, version.parts)) ?? version) : version;
    const place = places.get(stood.semver.raw);
    if (place) place.all.push(i);
    else places.set(stood.semver.raw, { version: stood, all: [i] });
  }
  return [...places.values()].sort((a, b) => compareVersions(b.version, a.version)).map(({ all }) => all);
}

const numbersOf = ({ semver }: Version, parts: 1 | 2 | 3): string =>
  [semver.major, semver.minor, semver.patch].slice(0, parts).join(".");
