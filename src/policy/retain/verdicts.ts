import type { Note } from "../../plan/plan.ts";
import type { Contents } from "./contents.ts";
import type { Moment } from "./retention.ts";

/** What a policy says of a tag, or of an image without one. */
export interface Fate {
  readonly goes: boolean;
  readonly why: string;
  readonly rule?: string;
  /** Of what stays only because it is not known when this was: that. */
  readonly untold?: Moment;
  /** Whether it may go though nothing with a tag is left then. */
  readonly mayEmpty?: boolean;
}

/** Fates by the number of what they are of; undefined where nothing is said of it. */
export type FatesByNumber = readonly (Fate | undefined)[];

/** What a policy says of one repository, before that is held against what needs what. */
export interface Verdicts {
  readonly tags: FatesByNumber;
  /** Of images without tags, and of what is attached to nothing. */
  readonly untagged: FatesByNumber;
  readonly notes: readonly Note[];
  /** Why nothing can be decided here. */
  readonly refused?: string;
}

/** A policy, ready to decide about repositories. `now` is in milliseconds since 1970. */
export interface Decider {
  decide(contents: Contents, now: number): Verdicts;
  /** The rules that selected nothing in all that was decided. */
  unused(): readonly { readonly rule: string; readonly why: string }[];
  readonly minKeep?: number;
  readonly maxDelete?: number | string;
}
