import { folded, withoutRedundant, type Losses } from "./fold.ts";
import { isConditional, type Deletion, type FormatOptions, type Rules } from "./rules.ts";
import { glob, type TagPattern } from "./tag-pattern.ts";

/** A deletion of single tags: those that fit one pattern of `tags`, but for those that fit one of `except`. */
export interface TagDeletion {
  readonly at: string;
  readonly tags: readonly TagPattern[];
  readonly except: readonly TagPattern[];
  /** Seconds. */
  readonly olderThan: number;
  readonly beyond?: number;
}

const all: readonly TagPattern[] = [glob("*")];

/** What can be said of a policy where tags go one by one, and only by their own name, age and place among the newest. */
export function tagDeletions(
  rules: Rules,
  { simpleImages = false }: FormatOptions,
  lost: Losses,
): readonly TagDeletion[] {
  const byTag = rules.unit === "tag" || simpleImages;
  const canCount = byTag && (simpleImages || !rules.countsImages);
  return withoutRedundant(folded(rules.deletions)).flatMap(
    (deletion) => tagDeletion(deletion, byTag, canCount, lost) ?? [],
  );
}

/**
 * Why a deletion cannot be said where tags go one by one; undefined where it can, as far as its tags are concerned. With
 * `byTag` its own do too; with `canCount` what counts there is what counts here, or less.
 */
export function whyNotByTag(deletion: Deletion, byTag: boolean, canCount: boolean): string | undefined {
  const { selection, newerThan, beyond, except } = deletion;
  if (selection.state === "untagged") return "deletes what has no tag, and here tags are deleted";
  if (newerThan !== undefined) return "deletes what is young";
  if (beyond !== undefined && !canCount) {
    return "counts images, and here each of their tags counts (--simple-images, if each has one)";
  }
  const single = except.find(
    (one) =>
      one.selection.state !== "untagged" && (one.selection.tags.length > 0 || (one.newest !== undefined && !canCount)),
  );
  return single === undefined || byTag
    ? undefined
    : `keeps all tags of an image for one (${single.at}), and here each is by itself (--simple-images, if each has one)`;
}

function tagDeletion(deletion: Deletion, byTag: boolean, canCount: boolean, lost: Losses): TagDeletion | undefined {
  const { at, selection, scope, olderThan = 0, beyond } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  if (scope.length > 0) return leftOut("is for some repositories");
  if (selection.tags.length > 1) return leftOut("wants several tags of one image, and here each tag is by itself");
  const why = whyNotByTag(deletion, byTag, canCount);
  if (why !== undefined) return leftOut(why);
  const except = exceptionsOf(deletion, lost);
  if (!except) return undefined;
  if (beyond !== undefined && except.length > 0 && deletion.countsExceptions) {
    lost.add(at, "counts what it keeps too: here it is not counted, and more is kept");
  }
  if (selection.tags.length > 0 && !byTag) lost.add(at, "deletes an image with all its tags: here, those go that fit");
  if (selection.state === "any") lost.add(at, "deletes what has no tag too: here, that stays");
  return { at, tags: selection.tags[0] ?? all, except, olderThan, ...(beyond !== undefined && { beyond }) };
}

function exceptionsOf(deletion: Deletion, lost: Losses): readonly TagPattern[] | undefined {
  const { at, except } = deletion;
  const patterns: TagPattern[] = [];
  for (const exception of except) {
    const { selection } = exception;
    if (selection.state === "untagged") continue;
    if (isConditional(exception))
      lost.add(exception.at, "keeps for a time or some of the newest: here, all that it selects is kept");
    if (exception.scope.length > 0) lost.add(exception.at, "is for some repositories: here, it keeps in all");
    const [group] = selection.tags;
    if (!group) return lost.add(at, `is left out: what ${exception.at} keeps is all of it, as far as can be said here`);
    patterns.push(...group);
  }
  return patterns;
}
