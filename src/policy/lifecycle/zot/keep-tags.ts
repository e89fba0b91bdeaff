import type { Losses } from "../fold.ts";
import { alternativesOf } from "../regex.ts";
import {
  areApart,
  covers,
  isConditional,
  type Deletion,
  type Exception,
  type FormatOptions,
  type Rules,
  type Selection,
} from "../rules.ts";
import { whyNotByTag } from "../tag-rules.ts";
import { unionOf, type TagPattern } from "../tag-pattern.ts";
import { durationOf, hasRules, type KeepRules, type KeepTags } from "./document.ts";
import { keepRules } from "./keep-rules.ts";

/** The entries for one deletion, in the order in which zot goes through them. */
interface Entries {
  readonly entries: readonly KeepTags[];
  /** Whether one of them is for all tags that are left. */
  readonly isForAll: boolean;
}

/** What of the tags is kept, by entries of which the first that a tag fits counts; undefined where all is. */
export function keepTagsFor(
  deletions: readonly Deletion[],
  rules: Rules,
  { simpleImages = false }: FormatOptions,
  lost: Losses,
): readonly KeepTags[] | undefined {
  const entries: KeepTags[] = [];
  const said: Deletion[] = [];
  let isForAll = false;
  for (const deletion of deletions) {
    if (deletion.selection.state === "untagged") continue;
    const made = entriesFor(deletion, entries, rules.unit === "tag" || simpleImages, lost);
    if (!made) continue;
    for (const { at } of said)
      lost.add(deletion.at, `may select what ${at} does: zot goes by the first of the two there`);
    said.push(deletion);
    if (!isForAll) entries.push(...made.entries);
    isForAll ||= made.isForAll;
  }
  if (said.length === 0) return undefined;
  return isForAll ? entries : [...entries, { patterns: [".*"] }];
}

function entriesFor(
  deletion: Deletion,
  before: readonly KeepTags[],
  byTag: boolean,
  lost: Losses,
): Entries | undefined {
  const { at, selection, olderThan = 0, beyond } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  const why = whyNotByTag(deletion, byTag);
  if (why !== undefined) return leftOut(why);
  const [group = []] = selection.tags;
  const isNegated = group.some(({ negated }) => negated);
  if (isNegated && group.length > 1) return leftOut("is for tags that do not fit one of several patterns");
  if (selection.tags.length > 0 && !byTag) lost.add(at, "deletes an image with all its tags: here, those go that fit");
  const except = deletion.except.filter((one) => !areApart(one.selection, { state: "tagged", tags: [] }));
  const [whole, parts] = [
    except.filter((one) => isWhole(one, deletion)),
    except.filter((one) => !isWhole(one, deletion)),
  ];
  if (whole.some((one) => !isConditional(one))) return leftOut("keeps all that it selects");
  const counts = beyond !== undefined || except.some(({ newest }) => newest !== undefined);
  if (counts && (deletion.countsExceptions ? parts.length > 0 : parts.some(isConditional)))
    lost.add(at, "counts what it keeps too: here each pattern counts by itself, and more is kept");
  const own = { at, by: "push", ...(beyond !== undefined && { newest: beyond }), within: olderThan } as const;
  const base: readonly Kept[] = [...ownRules(own), ...whole];
  const kept = keepRules(base, lost);
  if (!kept) return leftOut("keeps by what zot cannot say");
  const list = entryList(before, isNegated ? [entryOf(group, {})] : []);
  const merged = [...Map.groupBy(parts, ({ selection }) => JSON.stringify(selection)).values()];
  // What is for all that fits no pattern comes last.
  for (const part of merged.toSorted(([a], [b]) => Number(isRest(a!)) - Number(isRest(b!)))) {
    const isAdded = isRest(part[0]!)
      ? addRest(part, list, base, kept, deletion, lost)
      : addPart(part, list, base, deletion, lost);
    if (!isAdded) return leftOut(`keeps by what zot cannot say (${part[0]!.at})`);
  }
  if (!list.isForAll()) list.add(isNegated ? [] : group, orNone(kept));
  return { entries: list.all(), isForAll: list.isForAll() };
}

type Kept = Pick<Exception, "at" | "newest" | "within" | "olderThan" | "by">;

/** What a deletion does not delete yet, by age or else by number: either keeps. */
const ownRules = ({ newest, within, ...rest }: Kept): readonly Kept[] => [
  ...(within ? [{ ...rest, within }] : []),
  ...(newest === undefined ? [] : [{ ...rest, newest }]),
];

/** Rules that keep nothing are not the same as none, which keep all. */
const orNone = (rules: KeepRules): KeepRules => (hasRules(rules) ? rules : { pushedWithin: durationOf(0) });

const isWhole = ({ selection }: Exception, deletion: Deletion): boolean =>
  covers(selection, { ...deletion.selection, state: "tagged" });

/** Whether an exception is for what does not fit some patterns, whatever else it is. */
const isRest = ({ selection: { tags } }: Exception): boolean =>
  tags.every((group) => group.some(({ negated }) => negated));

/** Adds an entry for what fits a pattern; where its rules cannot be said there, one that keeps all of it. */
function addPart(
  part: readonly Exception[],
  list: EntryList,
  base: readonly Kept[],
  deletion: Deletion,
  lost: Losses,
): boolean {
  const { at, selection } = part[0]!;
  const { group, others } = splitOf(selection);
  const isAlways = part.some((one) => !isConditional(one));
  const isInside = group.every((one) => covers(deletion.selection, { state: "tagged", tags: [[one]] }));
  const rules = isAlways ? {} : keepRules([...base, ...part], lost);
  if (rules && others && (isAlways || isInside) && list.isExactly(others))
    list.add(group, isAlways ? {} : orNone(rules));
  else {
    if (!isAlways || selection.tags.length > 1)
      lost.add(at, "keeps less than zot can say: here, all that it selects is kept");
    list.addFirst(group);
  }
  return true;
}

/** Adds an entry for all tags that are left. */
function addRest(
  part: readonly Exception[],
  list: EntryList,
  base: readonly Kept[],
  own: KeepRules,
  deletion: Deletion,
  lost: Losses,
): boolean {
  const { others } = splitOf(part[0]!.selection);
  const isAlways = part.some((one) => !isConditional(one));
  const rules = isAlways ? {} : keepRules([...base, ...part], lost);
  if (!rules || !others || list.isForAll() || deletion.selection.tags.length > 0) return false;
  if (!list.isExactly(others)) {
    const [only, ...more] = others;
    if (!only || more.length > 0 || !list.isExactly([])) return false;
    list.add([only], orNone(own));
  }
  list.add([], isAlways ? {} : orNone(rules));
  return true;
}

interface EntryList {
  /** Whether what fits none of these patterns, and nothing else, is what is left for the next entry, but for what is kept whole. */
  readonly isExactly: (others: readonly TagPattern[]) => boolean;
  readonly add: (group: readonly TagPattern[], rules: KeepRules) => void;
  /** Adds an entry before those that do not keep all, so that it is for everything that fits. */
  readonly addFirst: (group: readonly TagPattern[]) => void;
  readonly isForAll: () => boolean;
  readonly all: () => readonly KeepTags[];
}

function entryList(before: readonly KeepTags[], first: KeepTags[]): EntryList {
  const entries: KeepTags[] = [];
  let isForAll = false;
  const patternsOf = (some: readonly KeepTags[]): readonly string[] => some.flatMap(({ patterns = [] }) => patterns);
  return {
    isExactly(others) {
      const texts = new Set(others.map(textOf));
      const known = new Set(patternsOf([...before, ...first, ...entries]));
      return [...texts].every((text) => known.has(text)) && patternsOf(entries).every((text) => texts.has(text));
    },
    add(group, rules) {
      entries.push(entryOf(group, rules));
      isForAll ||= group.length === 0;
    },
    addFirst: (group) => void first.push(entryOf(group, {})),
    isForAll: () => isForAll,
    all: () => [...first, ...entries],
  };
}

/** The patterns of which one has to fit, and those of which none may, which are undefined where more is asked for. */
function splitOf({ tags }: Selection): {
  readonly group: readonly TagPattern[];
  readonly others: readonly TagPattern[] | undefined;
} {
  const others = tags.filter((one) => one.some(({ negated }) => negated));
  const groups = tags.filter((one) => !others.includes(one));
  const isPlain = groups.length < 2 && others.every(({ length }) => length === 1);
  return { group: groups[0] ?? [], others: isPlain ? others.flat() : undefined };
}

const entryOf = (group: readonly TagPattern[], rules: KeepRules): KeepTags => ({
  patterns: group.length > 0 ? group.map(textOf) : [".*"],
  ...rules,
});

/** A regular expression that zot finds where a whole tag fits a pattern; whether it is negated does not count. */
function textOf({ kind, text }: TagPattern): string {
  const whole = unionOf([{ kind, text }]);
  if (alternativesOf(whole).length > 1) return `^(?:${whole})$`;
  const short = `^${whole}$`.replace(/^\^(?:\.\*)+(?![?*+{])/, "").replace(/(?<!\\)(?:\.\*)+\$$/, "");
  return short === "" ? ".*" : short;
}
