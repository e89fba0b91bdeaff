import { isDigestTag } from "../../oci/reference.ts";
import { bareVersionOf, compareVersions, versionOf } from "../version.ts";
import { fitsOne } from "../pattern.ts";
import type { TagRule } from "./parse.ts";

/** What is known of a tag's image; milliseconds since 1970. */
export interface TagFacts {
  readonly created?: number;
  readonly pushed?: number;
  /** Why they cannot be told. */
  readonly failed?: string;
}

/** Which tags are copied, and why each of the others is not. */
export interface Selection {
  readonly selected: readonly string[];
  readonly dropped: readonly Dropped[];
  /** Sets that fewer tags fit than they want at least, in words. */
  readonly tooFew: readonly string[];
}

export interface Dropped {
  readonly tag: string;
  readonly why: string;
}

/** The times that a set goes by. */
export function timesOf({ newest, by, within }: TagRule): readonly ("created" | "pushed")[] {
  if (by === "created" || by === "pushed") return newest !== undefined || within !== undefined ? [by] : [];
  return within !== undefined || (newest !== undefined && by === undefined) ? ["created"] : [];
}

/** The tags that fit the patterns and ranges of a set, which alone have to be known better; in the order of `tags`. */
export function candidates(tags: readonly string[], set: TagRule): readonly string[] {
  return tags.filter((tag) => misfit(tag, set) === undefined);
}

/**
 * Selects tags: those in any of the sets; without sets, all. What hangs on images goes with them, and is never selected.
 * Of equals among the newest, the one whose name comes later counts as newer.
 */
export function selectTags(
  tags: readonly string[],
  sets: readonly TagRule[],
  facts: ReadonlyMap<string, TagFacts>,
  now: Date,
): Selection {
  const open = tags.filter((tag) => !isDigestTag(tag)).toSorted();
  if (sets.length === 0) return { selected: open, dropped: [], tooFew: [] };
  const selected = new Set<string>();
  const reasons = new Map<string, string[]>();
  const tooFew: string[] = [];
  for (const [i, set] of sets.entries()) {
    const misfits = fit(open, set, facts, now);
    const fitting = open.filter((tag) => !misfits.has(tag));
    if (fitting.length < (set.atLeast ?? 0)) {
      const which = sets.length > 1 ? `tags[${i}]` : "the tags";
      tooFew.push(`${fitting.length} fit ${which}, and at least ${set.atLeast} have to`);
    }
    for (const tag of fitting) selected.add(tag);
    for (const [tag, why] of misfits) reasons.set(tag, [...(reasons.get(tag) ?? []), why]);
  }
  const dropped = open
    .filter((tag) => !selected.has(tag))
    .map((tag) => ({ tag, why: [...new Set(reasons.get(tag))].join("; ") }));
  return { selected: open.filter((tag) => selected.has(tag)), dropped, tooFew };
}

/** Why each tag that is not in a set is not. */
function fit(
  tags: readonly string[],
  set: TagRule,
  facts: ReadonlyMap<string, TagFacts>,
  now: Date,
): ReadonlyMap<string, string> {
  const misfits = new Map<string, string>();
  const drop = (tag: string, why: string | undefined): boolean => {
    if (why !== undefined) misfits.set(tag, why);
    return why === undefined;
  };
  let left = tags.filter((tag) => drop(tag, misfit(tag, set)));
  const { within, newest } = set;
  const by = set.by === "pushed" ? "pushed" : "created";
  if (within !== undefined) left = left.filter((tag) => drop(tag, tooOld(facts.get(tag)?.[by], by, within, now)));
  if (newest === undefined) return misfits;
  const order = set.by ?? (left.some((tag) => bareVersionOf(tag)) ? "semver" : "created");
  const read = set.by === "semver" ? versionOf : bareVersionOf;
  if (order === "semver") left = left.filter((tag) => drop(tag, read(tag) ? undefined : "it is no version"));
  const sorted = left.toSorted((a, b) => comparison(order, facts)(b, a));
  for (const tag of sorted.slice(newest)) drop(tag, `it is not among the newest ${newest} by ${order}`);
  return misfits;
}

function misfit(tag: string, { include, exclude, semver, prereleases }: TagRule): string | undefined {
  if (include && !fitsOne(include, tag)) return "no pattern includes it";
  const out = exclude.find((pattern) => pattern.fits(tag));
  if (out) return `${out.text} excludes it`;
  if (!semver && prereleases !== false) return undefined;
  const version = semver ? bareVersionOf(tag) : versionOf(tag);
  if (semver && !version) return "it is no version";
  if (semver && !semver.test(version!.semver)) return `it is not in ${semver.raw}`;
  return prereleases === false && version && version.semver.prerelease.length > 0 ? "it is a pre-release" : undefined;
}

function tooOld(time: number | undefined, by: string, within: number, now: Date): string | undefined {
  if (time === undefined) return `nobody tells when it was ${by}`;
  return now.getTime() - time > within ? `it was ${by} on ${new Date(time).toISOString().slice(0, 10)}` : undefined;
}

function comparison(
  by: NonNullable<TagRule["by"]>,
  facts: ReadonlyMap<string, TagFacts>,
): (a: string, b: string) => number {
  const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  if (by === "name") return byName;
  if (by === "semver") return (a, b) => compareVersions(versionOf(a)!, versionOf(b)!) || byName(a, b);
  const time = (tag: string): number => facts.get(tag)?.[by] ?? -Infinity;
  return (a, b) => (time(a) === time(b) ? byName(a, b) : time(a) - time(b));
}
