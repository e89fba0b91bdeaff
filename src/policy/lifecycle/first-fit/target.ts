import type { Losses } from "../fold.ts";
import type { Deletion, Exception, Rules } from "../rules.ts";
import type { TagPattern } from "../tag-pattern.ts";

/** What keeps: so many newest, or what is of an age; what any of several keeps is kept. */
export type Kept = Pick<Exception, "at" | "newest" | "within" | "olderThan" | "by">;

/** What is kept of the tags that fit a pattern (all tags, where there is none) and no entry before. */
export interface Entry {
  readonly patterns: readonly TagPattern[];
  /** Nothing is kept by an empty list. */
  readonly keeps: "always" | readonly Kept[];
}

/** When what has no tag goes. */
export interface Untagged {
  readonly at: string;
  /** Seconds. */
  readonly wait: number;
  readonly keeps: readonly Kept[];
}

/** What is for the repositories that fit one of the globs, and none of a place before: without entries, all tags stay. */
export interface Place {
  readonly globs: readonly string[];
  readonly entries?: readonly Entry[];
  readonly untagged?: Untagged;
}

/** A form of policy in which the first that fits counts: of places for repositories, and of entries for tags. */
export interface Target {
  readonly canKeep: (kept: readonly Kept[]) => boolean;
  /** Whether the tags of an image take one place among the newest. */
  readonly countsImages: boolean;
  /** Whether parts of indexes take places among the newest without tags. */
  readonly countsParts: boolean;
}

export interface Source {
  readonly rules: Rules;
  readonly target: Target;
  /** Whether each image has one tag at most, and none is an index. */
  readonly isSimple: boolean;
}

/** What a deletion does not take yet, by age or else by number: either keeps. */
export const ownKeeps = ({ at, olderThan, beyond }: Deletion): readonly Kept[] => [
  ...(olderThan ? [{ at, within: olderThan, by: "push" as const }] : []),
  ...(beyond === undefined ? [] : [{ at, newest: beyond, by: "push" as const }]),
];

/** Tells of counts over what has tags and what has none: an entry is for either. */
export function tellTogether({ at, selection, beyond }: Deletion, except: readonly Exception[], lost: Losses): void {
  for (const one of [...(beyond === undefined ? [] : [{ at, selection, newest: beyond }]), ...except]) {
    if (one.newest === undefined || one.selection.state !== "any") continue;
    lost.add(one.at, "counts what has tags and what has none together: here each counts by itself, and more is kept");
  }
}
