/** By which moment of an image something goes. */
export type Moment = "pushed" | "created";

/**
 * Gantry's own retention policy, version 1. Each tag is decided by the first rule that selects it: it stays if any `keep`
 * holds for it, or `delete` does not; it goes otherwise. What no rule selects stays. Patterns are those of `parsePattern`, spans
 * of time are `90m`, `36h`, `14d` or `2w`.
 */
export interface RetentionPolicy {
  readonly version: 1;
  /** By which moment images are old, and new; `pushed`. */
  readonly by?: Moment;
  /** Tags that no rule takes. */
  readonly protect?: readonly string[];
  /** Where fewer images with tags would be left in a repository, nothing in it goes. */
  readonly minKeep?: number;
  /** Where more tags and images without a tag would go from a repository, nothing in it goes: a number, or a part (`20%`). */
  readonly maxDelete?: number | string;
  readonly rules: readonly RetentionRule[];
}

/** What becomes of some of the tags; of images without a tag; or of what is attached to images that are gone. */
export interface RetentionRule {
  /** What it is called in plans; without, its place: `rules[0]`. */
  readonly name?: string;
  /** In which repositories, with their host or without; in all of them, where it is absent. */
  readonly repositories?: readonly string[];
  /** Tags that fit any of these; all, where neither this nor `untagged` or `orphaned` is said. */
  readonly tags?: readonly string[];
  /** But none that fits any of these. */
  readonly except?: readonly string[];
  /** Selects the images that have no tag, and are neither a part of another nor attached to one. */
  readonly untagged?: true;
  /** Selects what is attached (by its subject or a `sha256-*` tag) to images that are not there. */
  readonly orphaned?: true;
  readonly by?: Moment;
  readonly keep?: Keep | readonly Keep[];
  readonly delete?: { readonly olderThan: string };
  /** Whether it may take the last image with a tag out of a repository. */
  readonly allowEmpty?: boolean;
}

/** Keeps what any of its conditions holds for. */
export interface Keep {
  readonly always?: true;
  /** The images that are the newest of those that the rule selects in the repository, so many. */
  readonly newest?: number;
  /** By what those are the newest; as the rule says, where it is absent. */
  readonly by?: Moment | "semver";
  /** So many of each: of 1.*, of 1.2.*, or of what the groups of a regular expression find in the tag (`/^(\w+)-\d+$/`). */
  readonly per?: "major" | "minor" | `/${string}/`;
  readonly youngerThan?: string;
  /** What was never pulled counts as pulled when it was pushed. */
  readonly pulledWithin?: string;
}
