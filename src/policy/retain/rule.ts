import { fitsOne, parsePattern, type Pattern } from "../pattern.ts";
import { readSpan } from "../span.ts";
import { compareVersions, versionOf, type Version } from "../version.ts";
import type { Image } from "./contents.ts";
import { momentOf, wordOf } from "./moment.ts";
import type { Keep, Moment, RetentionRule } from "./retention.ts";
import { readStreams, versionStream } from "./streams.ts";
import type { Fate } from "./verdicts.ts";

/** A tag that a rule decides about, or an image without one. */
export interface Selected {
  readonly image: Image;
  readonly tag?: string;
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
  readonly by: Moment;
  isFor(repository: string): boolean;
  selects(tag: string): boolean;
  /** What becomes of all that it selects in one repository, in the same order. */
  decide(selected: readonly Selected[], circumstances: Circumstances): readonly Fate[];
  /** The moment that counts of an image; undefined where it is not known, or cannot be true. */
  momentOf(image: Image, useCreated: boolean): number | undefined;
  readonly needsMoment: boolean;
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
  return {
    label,
    by,
    kind: rule.untagged ? "untagged" : rule.orphaned ? "orphaned" : "tags",
    isFor: (repository) =>
      !repositories ||
      fitsOne(repositories, repository) ||
      fitsOne(repositories, repository.slice(repository.indexOf("/") + 1)),
    selects: (tag) => (!tags || fitsOne(tags, tag)) && !fitsOne(except, tag),
    momentOf: (image, useCreated) => momentOf(image.held, by, useCreated),
    needsMoment: olderThan !== undefined || keeps.some(({ needsMoment }) => needsMoment),
    needsPulls: keeps.some(({ needsPulls }) => needsPulls),
    decide(selected, circumstances) {
      const kept = keeps.map((keep) => keep.kept(selected, circumstances));
      return selected.map((one, i): Fate => {
        const why = kept.map((reasons) => reasons[i]).find((reason) => reason !== undefined);
        if (why !== undefined) return { goes: false, why, ...base };
        if (olderThan === undefined) return leftOver;
        const moment = momentOf(one.image.held, by, circumstances.useCreated);
        if (moment === undefined) return { goes: false, why: `it is not known when it was ${by}`, ...base };
        const { older, younger } = byAge[wordOf(one.image.held, by)];
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
  /** Why each is kept; undefined for what this does not keep. */
  kept(selected: readonly Selected[], circumstances: Circumstances): readonly (string | undefined)[];
  readonly needsMoment: boolean;
  readonly needsPulls: boolean;
}

function compileKeep(keep: Keep, inRule: Moment): CompiledKeep {
  const { always, newest, per, youngerThan, pulledWithin } = keep;
  const by = keep.by ?? inRule;
  const moment = by === "semver" ? inRule : by;
  const [young, pulled] = [youngerThan, pulledWithin].map((text) => (text === undefined ? undefined : readSpan(text)!));
  return {
    needsMoment: young !== undefined || pulled !== undefined || (newest !== undefined && by !== "semver"),
    needsPulls: pulled !== undefined,
    kept(selected, { now, useCreated, tellsPulls }) {
      const among = newest === undefined ? undefined : newestOf(selected, newest, by, per, useCreated);
      return selected.map((one, i) => {
        if (always) return "the rule keeps it always";
        if (among?.[i] !== undefined) return among[i];
        const time = momentOf(one.image.held, moment, useCreated);
        if (young !== undefined) {
          if (time === undefined) return `it is not known when it was ${moment}`;
          if (now - time <= young) return `${wordOf(one.image.held, moment)} within ${youngerThan}`;
        }
        if (pulled === undefined) return undefined;
        if (!tellsPulls) return "it is not known whether it is pulled";
        const last = one.image.pulled ?? time;
        if (last === undefined) return `it is not known when it was ${moment}`;
        if (now - last > pulled) return undefined;
        return one.image.pulled === undefined
          ? `never pulled, but ${wordOf(one.image.held, moment)} within ${pulledWithin}`
          : `pulled within ${pulledWithin}`;
      });
    },
  };
}

/** Which are among the newest of their stream. Tags of one image, and of one version, take up one place. */
function newestOf(
  selected: readonly Selected[],
  most: number,
  by: Moment | "semver",
  per: Keep["per"],
  useCreated: boolean,
): readonly (string | undefined)[] {
  const versionsPer = per === "major" || per === "minor" ? per : undefined;
  const streamOf = per === undefined || versionsPer ? undefined : readStreams(per);
  const why = `among the newest ${most}${per === undefined ? "" : ` per ${per}`}${by === "semver" ? " by version" : ""}`;
  const reasons: (string | undefined)[] = [];
  const versions = new Map<number, Version>();
  const streams = new Map<string, number[]>();
  selected.forEach(({ tag = "" }, i) => {
    const own = streamOf ? streamOf(tag) : "";
    if (own === undefined) return void (reasons[i] = `it is of no stream (${per})`);
    let key = own;
    if (by === "semver" || versionsPer) {
      const version = versionOf(tag);
      if (!version) return void (reasons[i] = "it is no version");
      versions.set(i, version);
      key = `${own}\n${versionStream(version, versionsPer)}`;
    }
    const stream = streams.get(key);
    if (stream) stream.push(i);
    else streams.set(key, [i]);
  });
  for (const stream of streams.values()) {
    const places = by === "semver" ? byVersion(versions, stream) : byMoment(selected, stream, by, useCreated, reasons);
    for (const place of places.slice(0, most)) for (const i of place) reasons[i] = why;
  }
  return reasons;
}

/** The places of a stream, newest first, each with those that share it; those of no known moment are kept and take none. */
function byMoment(
  selected: readonly Selected[],
  stream: readonly number[],
  by: Moment,
  useCreated: boolean,
  reasons: (string | undefined)[],
): readonly (readonly number[])[] {
  const images = new Map<Image, { readonly time: number; readonly all: number[] }>();
  for (const i of stream) {
    const { image } = selected[i]!;
    const known = images.get(image);
    const time = known?.time ?? momentOf(image.held, by, useCreated);
    if (known) known.all.push(i);
    else if (time !== undefined) images.set(image, { time, all: [i] });
    else reasons[i] = `it is not known when it was ${by}`;
  }
  return [...images.values()].sort((a, b) => b.time - a.time).map(({ all }) => all);
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
