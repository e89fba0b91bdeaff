import type { Losses } from "../fold.ts";
import { areApart, covers, isConditional, type Deletion, type Exception, type Selection } from "../rules.ts";
import { whyNotByTag } from "../tag-rules.ts";
import type { TagPattern } from "../tag-pattern.ts";
import { entryList, type EntryList } from "./entry-list.ts";
import { ownKeeps, tellTogether, type Entry, type Kept, type Source } from "./target.ts";

/** What of the tags is kept, by entries of which the first that a tag fits counts, and the last is for all; undefined where all is. */
export function tagEntries(deletions: readonly Deletion[], source: Source, lost: Losses): readonly Entry[] | undefined {
  const entries: Entry[] = [];
  const said: Deletion[] = [];
  let isDone = false;
  for (const deletion of deletions) {
    if (deletion.selection.state === "untagged") continue;
    const made = entriesFor(deletion, entries, source, lost);
    if (!made) continue;
    for (const { at } of said)
      lost.add(deletion.at, `may select what ${at} does: here the first of the two counts there`);
    said.push(deletion);
    if (!isDone) entries.push(...made.all());
    isDone ||= made.isForAll();
  }
  if (said.length === 0) return undefined;
  return isDone ? entries : [...entries, { patterns: [], keeps: "always" }];
}

function entriesFor(
  deletion: Deletion,
  before: readonly Entry[],
  { rules, target, isSimple }: Source,
  lost: Losses,
): EntryList | undefined {
  const { at, selection } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  const byTag = rules.unit === "tag" || isSimple;
  const countsTags = isSimple || (rules.unit === "tag" && !rules.countsImages);
  const canCount = target.countsImages || countsTags;
  const why = whyNotByTag(deletion, byTag, canCount);
  if (why !== undefined) return leftOut(why);
  const { group, others } = splitOf(selection);
  if (!others) return leftOut("selects tags by several patterns at once");
  if (selection.tags.length > 0 && !byTag) lost.add(at, "deletes an image with all its tags: here, those go that fit");
  const except = deletion.except.filter((one) => !areApart(one.selection, { state: "tagged", tags: [] }));
  const whole = except.filter((one) => isWhole(one, deletion));
  const parts = except.filter((one) => !whole.includes(one));
  if (whole.some((one) => !isConditional(one))) return leftOut("keeps all that it selects");
  tellCounts(deletion, except, parts, countsTags && target.countsImages && !isSimple, lost);
  tellTogether(deletion, except, lost);
  const canKeep = (kept: readonly Kept[]): boolean =>
    target.canKeep(kept) && (canCount || kept.every(({ newest }) => newest === undefined));
  const base = [...ownKeeps(deletion), ...whole];
  if (!canKeep(base)) return leftOut("keeps by what cannot be said here");
  const list = entryList(before);
  // What is not meant is kept, where no entry before has it.
  for (const pattern of others) if (!list.isSettled(pattern)) list.addFirst([pattern]);
  const adding: Adding = { list, base, deletion, canKeep };
  // Only what has tags is here: whether they are for more makes no difference.
  const merged = [...Map.groupBy(parts, ({ selection }) => JSON.stringify(selection.tags)).values()];
  // What is for all that fits no pattern comes last.
  for (const part of merged.toSorted(([a], [b]) => Number(isRest(a!)) - Number(isRest(b!)))) {
    if (!(isRest(part[0]!) ? addRest(part, adding) : addPart(part, adding, lost))) {
      return leftOut(`keeps by what cannot be said here (${part[0]!.at})`);
    }
  }
  if (!list.isForAll()) list.add(group, base);
  return list;
}

/** Tells where other numbers are counted than the rule says. */
function tellCounts(
  { at, beyond, countsExceptions }: Deletion,
  except: readonly Exception[],
  parts: readonly Exception[],
  isByTag: boolean,
  lost: Losses,
): void {
  if (beyond === undefined && !except.some(({ newest }) => newest !== undefined)) return;
  if (isByTag) lost.add(at, "counts tags: here those of one image count as one, and more is kept");
  if (countsExceptions ? parts.length > 0 : parts.some(isConditional)) {
    lost.add(at, "counts what it keeps too: here each pattern counts by itself, and more is kept");
  }
}

const isWhole = ({ selection }: Exception, deletion: Deletion): boolean =>
  covers(selection, { ...deletion.selection, state: "tagged" });

/** Whether an exception is for what does not fit some patterns, whatever else it is. */
const isRest = ({ selection: { tags } }: Exception): boolean =>
  tags.every((group) => group.some(({ negated }) => negated));

interface Adding {
  readonly list: EntryList;
  readonly base: readonly Kept[];
  readonly deletion: Deletion;
  readonly canKeep: (kept: readonly Kept[]) => boolean;
}

const keepsOf = (part: readonly Exception[], base: readonly Kept[]): Entry["keeps"] =>
  part.some((one) => !isConditional(one)) ? "always" : [...base, ...part];

/** Adds an entry for what fits a pattern; where its rules cannot be said there, one that keeps all of it. */
function addPart(part: readonly Exception[], { list, base, deletion, canKeep }: Adding, lost: Losses): boolean {
  const { at, selection } = part[0]!;
  const { group, others } = splitOf(selection);
  // What is another deletion's, or kept whole, never comes to this one.
  if (group.every(list.isSettled)) return true;
  const keeps = keepsOf(part, base);
  const isInside = group.every((one) => covers(deletion.selection, { state: "tagged", tags: [[one]] }));
  const isSayable = keeps === "always" || (isInside && canKeep(keeps));
  if (isSayable && others && list.isExactly(others)) list.add(group, keeps);
  else {
    if (keeps !== "always" || selection.tags.length > 1)
      lost.add(at, "keeps some of what it selects in a way that cannot be said here: all of it is kept");
    list.addFirst(group);
  }
  return true;
}

/** Adds an entry for all tags that are left. */
function addRest(part: readonly Exception[], { list, base, deletion, canKeep }: Adding): boolean {
  const { others } = splitOf(part[0]!.selection);
  const keeps = keepsOf(part, base);
  if (!others || list.isForAll() || deletion.selection.tags.length > 0) return false;
  if (keeps !== "always" && !canKeep(keeps)) return false;
  if (!list.isExactly(others)) {
    const [only, ...more] = others;
    if (!only || more.length > 0 || !list.isExactly([])) return false;
    list.add([only], base);
  }
  list.add([], keeps);
  return true;
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
