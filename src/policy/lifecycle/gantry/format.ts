import type { Keep, RetentionPolicy, RetentionRule } from "../../retain/retention.ts";
import type { Entry, Kept, Place, Target } from "../first-fit/target.ts";
import { placesOf } from "../first-fit/places.ts";
import { losses, type Losses } from "../fold.ts";
import type { FormatOptions, Formatted, Rules } from "../rules.ts";
import type { TagPattern } from "../tag-pattern.ts";

const target: Target = {
  canKeep: (kept) =>
    kept.every(({ olderThan, newest, by }) => olderThan === undefined && (newest === undefined || by === "push")),
  countsImages: true,
  countsParts: false,
};

/** Writes a policy of Gantry's own, in which the first rule that selects a tag decides about it. */
export function formatGantry(rules: Rules, { simpleImages = false }: FormatOptions = {}): Formatted {
  const lost = losses();
  const places = placesOf({ rules, target, isSimple: simpleImages }, lost);
  const written = places?.flatMap((place) => rulesOf(place, lost)) ?? [];
  if (written.every(isKept)) return { document: undefined, losses: lost.all };
  const document: RetentionPolicy = { version: 1, rules: written };
  return { document, losses: lost.all };
}

const isKept = ({ keep = [] }: RetentionRule): boolean => [keep].flat().some(({ always }) => always);

function rulesOf({ globs, entries, untagged }: Place, lost: Losses): readonly RetentionRule[] {
  const isLast = globs.includes("**");
  const all: readonly Entry[] = entries ?? [{ patterns: [], keeps: "always" }];
  const ofTags = all.map(({ patterns, keeps }): RetentionRule => ({
    ...(patterns.length > 0 && { tags: patterns.map(patternOf) }),
    ...(keeps === "always" ? { keep: { always: true } } : decision(keeps, lost)),
  }));
  const ofBare: RetentionRule = untagged
    ? { untagged: true, ...decision(untagged.keeps, lost, untagged.wait) }
    : { untagged: true, keep: { always: true }, delete: { olderThan: spanOf(0) } };
  // What no rule selects stays.
  if (isLast)
    return [...ofTags.slice(0, ofTags.findLastIndex((rule) => !isKept(rule)) + 1), ...(untagged ? [ofBare] : [])];
  const repositories = globs.flatMap(repositoryPatterns);
  return [...ofTags, ofBare].map((rule) => ({ repositories, ...rule }));
}

/** What any of these keeps, and that the rest goes, once it is so many seconds old. */
function decision(kept: readonly Kept[], lost: Losses, least?: number): Pick<RetentionRule, "keep" | "delete"> {
  let [pushed, pulled, newest] = [-1, -1, 0];
  for (const { at, newest: count, within, by } of kept) {
    if (count !== undefined && within !== undefined) lost.add(at, "keeps by age and number: here, by either");
    if (count !== undefined) newest = Math.max(newest, count);
    if (within === undefined) continue;
    if (by !== "pull") pushed = Math.max(pushed, within);
    if (by !== "push") pulled = Math.max(pulled, within);
    if (by === "pull")
      lost.add(at, "keeps by the last pull: here, what was never pulled counts as pulled when it was pushed");
  }
  if (newest === 0 && pulled < 0) return { delete: { olderThan: spanOf(Math.max(least ?? 0, pushed)) } };
  const keep: Keep = {
    ...(newest > 0 && { newest }),
    ...(pushed >= 0 && { youngerThan: spanOf(pushed) }),
    ...(pulled >= 0 && { pulledWithin: spanOf(pulled) }),
  };
  return { keep, ...(least !== undefined && { delete: { olderThan: spanOf(least) } }) };
}

/** `*` is `*`; what a regular expression fits as a whole stands between slashes. */
const patternOf = ({ kind, text }: TagPattern): string => (kind === "glob" ? text : `/${text}/`);

/** Patterns that together fit what a glob does, in which `**` may be no part of a path at all. */
function repositoryPatterns(glob: string): readonly string[] {
  let paths: readonly (readonly string[])[] = [[]];
  for (const part of glob.split("/")) {
    const choices = part === "**" ? [[], ["**"]] : [[part.replace(/\*+/g, "*")]];
    paths = paths.flatMap((path) => choices.map((choice) => [...path, ...choice]));
  }
  return [...new Set(paths.filter(({ length }) => length > 0).map((path) => path.join("/")))];
}

/** A span of no less than so many seconds. */
function spanOf(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes % 1440 === 0 && minutes > 0) return `${minutes / 1440}d`;
  return minutes < 1_000_000 ? `${minutes}m` : `${Math.ceil(minutes / 1440)}d`;
}
