import type { Losses } from "../fold.ts";
import { areApart, isConditional, type Deletion, type FormatOptions, type Rules } from "../rules.ts";
import type { KeepRules } from "./document.ts";
import { keepRules } from "./keep-rules.ts";

interface Untagged {
  /** Seconds. */
  readonly wait: number;
  readonly rules: KeepRules;
}

/** When what has no tag goes, and what of it is kept; undefined where all is. */
export function keepUntaggedFor(
  deletions: readonly Deletion[],
  rules: Rules,
  options: FormatOptions,
  lost: Losses,
): Untagged | undefined {
  const found = deletions.flatMap((deletion) => {
    const made = deletion.selection.state === "tagged" ? undefined : untaggedOf(deletion, rules, options, lost);
    return made ? [{ at: deletion.at, made }] : [];
  });
  const [first, ...others] = found;
  for (const { at } of others) {
    if (first) lost.add(at, `deletes what has no tag by another rule than ${first.at}: zot has one, and goes by that`);
  }
  return first?.made;
}

function untaggedOf(deletion: Deletion, rules: Rules, options: FormatOptions, lost: Losses): Untagged | undefined {
  const { at, selection, olderThan = 0, newerThan, beyond } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: what has no tag stays`);
  if (newerThan !== undefined) return leftOut("deletes what is young, which zot does not");
  if (beyond !== undefined && !rules.countsParts && !options.simpleImages) {
    return leftOut(
      "counts images, and zot counts what they are made of too (--simple-images, if each has one platform)",
    );
  }
  if (beyond !== undefined && selection.state === "any") {
    lost.add(at, "counts what has tags and what has none together: zot counts each by itself, and keeps more");
  }
  const except = deletion.except.filter((one) => !areApart(one.selection, { state: "untagged", tags: [] }));
  if (except.some((one) => !isConditional(one))) return leftOut("keeps all of it");
  const own = { at, by: "push", ...(beyond !== undefined && { newest: beyond }) } as const;
  const counted = except.some(({ newest }) => newest !== undefined) && !rules.countsParts && !options.simpleImages;
  if (counted) return leftOut("counts images, and zot counts what they are made of too");
  const kept = keepRules([...(beyond === undefined ? [] : [own]), ...except], lost);
  return kept ? { wait: olderThan, rules: kept } : leftOut("keeps by what zot cannot say");
}
