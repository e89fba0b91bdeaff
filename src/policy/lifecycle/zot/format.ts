import type { Entry, Kept, Place, Target } from "../first-fit/target.ts";
import { placesOf } from "../first-fit/places.ts";
import { losses, type Losses } from "../fold.ts";
import { alternativesOf } from "../regex.ts";
import type { FormatOptions, Formatted, Rules } from "../rules.ts";
import { unionOf, type TagPattern } from "../tag-pattern.ts";
import { durationOf, hasRules, secondsOf, type KeepRules, type KeepTags, type ZotPolicy } from "./document.ts";

const target: Target = {
  canKeep: (kept) => kept.every(({ olderThan }) => olderThan === undefined),
  countsImages: false,
  countsParts: true,
};

/** Writes a retention: what it keeps, by policies of which the first that is for a repository counts. */
export function formatZot(rules: Rules, { simpleImages = false }: FormatOptions = {}): Formatted {
  const lost = losses();
  const places = placesOf({ rules, target, isSimple: simpleImages }, lost);
  if (!places) return { document: undefined, losses: lost.all };
  const waits = places.flatMap(({ untagged }) => untagged?.wait ?? []);
  // What has no tag waits for this at least, everywhere.
  const delay = Math.min(...waits);
  const policies = places.map((place) => policyOf(place, delay, lost));
  return { document: { ...(waits.length > 0 && { delay: durationOf(delay) }), policies }, losses: lost.all };
}

function policyOf({ globs, entries, untagged }: Place, delay: number, lost: Losses): ZotPolicy {
  const keepTags = entries?.map((entry) => keepTagsOf(entry, lost));
  const base = { repositories: globs, deleteUntagged: untagged !== undefined, ...(keepTags && { keepTags }) };
  if (!untagged) return base;
  const { wait, keeps } = untagged;
  const rules = rulesOf(keeps, lost);
  const pushed = Math.max(
    wait > delay ? wait : 0,
    rules.pushedWithin === undefined ? 0 : secondsOf(rules.pushedWithin),
  );
  const keepUntagged = { ...rules, ...(pushed > 0 && { pushedWithin: durationOf(pushed) }) };
  return hasRules(keepUntagged) ? { ...base, keepUntagged } : base;
}

function keepTagsOf({ patterns, keeps }: Entry, lost: Losses): KeepTags {
  const base = { patterns: patterns.length > 0 ? patterns.map(textOf) : [".*"] };
  if (keeps === "always") return base;
  const rules = rulesOf(keeps, lost);
  // Rules that keep nothing are not the same as none, which keep all.
  return { ...base, ...(hasRules(rules) ? rules : { pushedWithin: durationOf(0) }) };
}

/** The rules that keep all that any of these does. */
function rulesOf(kept: readonly Kept[], lost: Losses): KeepRules {
  let [pushed, pulled, pushedCount, pulledCount] = [-1, -1, 0, 0];
  for (const { at, newest, within, by } of kept) {
    if (newest !== undefined && within !== undefined) lost.add(at, "keeps by age and number: here, by either");
    if (within !== undefined && by === "push") pushed = Math.max(pushed, within);
    if (within !== undefined && by !== "push") pulled = Math.max(pulled, within);
    if (within !== undefined && by === "pull")
      lost.add(at, "keeps by the last pull: here, what is as newly pushed is kept too");
    if (newest === undefined) continue;
    if (by !== "pull") pushedCount = Math.max(pushedCount, newest);
    if (by !== "push") pulledCount = Math.max(pulledCount, newest);
    if (by === "activity") lost.add(at, "counts by push or pull, whichever was later: here by each, and more is kept");
  }
  return {
    ...(pulled >= 0 && { pulledWithin: durationOf(pulled) }),
    ...(pushed >= 0 && { pushedWithin: durationOf(pushed) }),
    ...(pushedCount > 0 && { mostRecentlyPushedCount: pushedCount }),
    ...(pulledCount > 0 && { mostRecentlyPulledCount: pulledCount }),
  };
}

/** A regular expression that zot finds where a whole tag fits a pattern. */
function textOf(pattern: TagPattern): string {
  const whole = unionOf([pattern]);
  if (alternativesOf(whole).length > 1) return `^(?:${whole})$`;
  const short = `^${whole}$`.replace(/^\^(?:\.\*)+(?![?*+{])/, "").replace(/(?<!\\)(?:\.\*)+\$$/, "");
  return short === "" ? ".*" : short;
}
