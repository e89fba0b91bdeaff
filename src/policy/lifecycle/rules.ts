import type { Loss } from "./fault.ts";
import { globsOf, type TagPattern } from "./tag-pattern.ts";

/** Which images are meant. */
export interface Selection {
  /** `any` with `tags` is: those that fit, and all that have no tag. */
  readonly state: "tagged" | "untagged" | "any";
  /** Of each group, some tag of the image has to be like one of the patterns; without groups, all of this state are meant. */
  readonly tags: readonly (readonly TagPattern[])[];
}

/** In which repositories: all globs have to fit (or not, where negated); without any, in all. */
export type Scope = readonly { readonly glob: string; readonly negated: boolean }[];

/** By which moment of an image a rule goes; `activity` is the later of the two. */
export type Moment = "push" | "pull" | "activity";

/** What a deletion leaves alone: images that are selected and, where these are said, among the newest and of an age. */
export interface Exception {
  /** Where it stands in the document. */
  readonly at: string;
  readonly selection: Selection;
  readonly scope: Scope;
  readonly newest?: number;
  /** Seconds. */
  readonly within?: number;
  readonly olderThan?: number;
  readonly by: Moment;
}

/** A rule that deletes what is selected and all conditions hold for, but for exceptions. */
export interface Deletion {
  readonly at: string;
  readonly selection: Selection;
  readonly scope: Scope;
  /** Seconds since the push. */
  readonly olderThan?: number;
  readonly newerThan?: number;
  /** Only what is not among so many newest of the selection. */
  readonly beyond?: number;
  /** Whether exceptions take up places among the newest. */
  readonly countsExceptions: boolean;
  readonly except: readonly Exception[];
}

/** A policy in no service's terms: an image goes if any deletion says so. */
export interface Rules {
  /** What is counted and goes: images with all their tags, or tags one by one. */
  readonly unit: "image" | "tag";
  /** Whether the manifests that an index is made of are counted as images too. */
  readonly countsParts: boolean;
  /** Whether what is attached to nothing that is there counts as an image without a tag. */
  readonly countsOrphans?: true;
  /** Whether, though tags go one by one, those of an image take one place among the newest. */
  readonly countsImages?: true;
  /** Whether scopes are about the whole names of repositories, not about what is below a project. */
  readonly wholeNames?: true;
  readonly deletions: readonly Deletion[];
}

export interface Parsed {
  readonly rules: Rules;
  readonly losses: readonly Loss[];
}

export interface Formatted {
  /** Undefined where nothing is left that would delete anything. */
  readonly document: unknown;
  readonly losses: readonly Loss[];
}

export interface FormatOptions {
  /** Takes it that each image has one tag at most and none is an index, so that counting tags, images or manifests is one. */
  readonly simpleImages?: boolean;
}

export const day = 86_400;

/** Whole days that are no less than so many seconds. */
export const wholeDays = (seconds: number): number => Math.ceil(seconds / day);

/** A selection without groups that every tag fits. */
export function selectionOf(state: Selection["state"], ...groups: readonly (readonly TagPattern[])[]): Selection {
  return { state, tags: groups.filter((group) => !group.some(isAll)) };
}

export const isAll = (pattern: TagPattern): boolean => !pattern.negated && globsOf(pattern)?.includes("*") === true;

/** Whether everything that `part` means, `whole` means too; false where that cannot be told. */
export function covers(whole: Selection, part: Selection): boolean {
  if (whole.state !== "any" && whole.state !== part.state) return false;
  if (part.state === "untagged") return true;
  return whole.tags.every((wide) =>
    part.tags.some((narrow) => narrow.every((one) => wide.some((two) => isSame(one, two)))),
  );
}

function isSame(one: TagPattern, two: TagPattern): boolean {
  return one.text === two.text && one.kind === two.kind && one.negated === two.negated;
}

export const coversScope = (whole: Scope, part: Scope): boolean =>
  whole.every((one) => part.some(({ glob, negated }) => glob === one.glob && negated === one.negated));

/** Whether no image can be meant by both. */
export function areApart(one: Selection, two: Selection): boolean {
  return (one.state === "untagged" && two.state === "tagged") || (one.state === "tagged" && two.state === "untagged");
}

export const isConditional = ({ newest, within, olderThan }: Exception): boolean =>
  newest !== undefined || within !== undefined || olderThan !== undefined;

/** An exception without conditions: it leaves more alone. */
export function widened({ at, selection, scope }: Exception): Exception {
  return { at, selection, scope, by: "push" };
}
