/** Which tags of a repository: those that fit all that is said here. Patterns are those of `parsePattern`. */
export interface TagSet {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** A range: `>=1.2 <3`. */
  readonly semver?: string;
  /** With pre-releases too. */
  readonly prereleases?: boolean;
  /** Of those that fit the rest, so many. */
  readonly newest?: number;
  /** By what those are the newest; `semver` where the tags are versions, else `created`. */
  readonly by?: "semver" | "created" | "pushed" | "name";
  /** Only what was built or pushed (as `by` says) within this time: `30d`. */
  readonly within?: string;
  /** With fewer that fit, the mapping fails: a guard against a pattern that is wrong. */
  readonly atLeast?: number;
}

/** What may be said of one mapping, or of all under `defaults`. */
export interface SyncSettings {
  /** A tag that is in any of the sets is selected; without, all are, but for `sha256-*`, which go with their images. */
  readonly tags?: readonly TagSet[];
  /** Of indexes, these platforms alone, as an index of their own: `linux/amd64`. */
  readonly platforms?: readonly string[];
  /** Whether what is attached goes along; true. */
  readonly referrers?: boolean;
  /** What has to be attached at the source for an image to be copied: `signature`, `sbom`, `attestation`, or an artifact type (with `*`). */
  readonly require?: readonly string[];
  /** Tags that never move: where the destination has one, nothing is asked of it any more. */
  readonly immutable?: readonly string[];
  /** Whether a tag that the destination has with another digest is moved; `true`, or an error, or left alone. */
  readonly overwrite?: true | "error" | "keep";
  readonly prune?: Prune | boolean;
  /** Creates repositories where a push does not; true. */
  readonly create?: boolean;
  /** Five fields of cron, in UTC unless `timezone` says otherwise, for `sync --watch`. */
  readonly schedule?: string;
  readonly timezone?: string;
  /** Starts at random up to so much later: `5m`. */
  readonly jitter?: string;
  /** At most so much a second: `20MB`. */
  readonly limitRate?: string;
  /** How many of the source's pulls are left alone. */
  readonly quotaReserve?: number;
  /** The tag under which what a copy would overwrite stays: `{tag}-{date}`; `{time}` and `{digest}` are there too. */
  readonly backup?: string;
}

/** Takes tags away at the destination that the source does not have, or that are not selected any more. */
export interface Prune {
  /** Only tags like these. */
  readonly only?: readonly string[];
  readonly protect?: readonly string[];
  /** A number, or a part of what is there: `10%`; with more to go, nothing goes. */
  readonly maxDelete?: number | string;
  /** So many tags stay at least. */
  readonly atLeast?: number;
}

export interface Mapping extends SyncSettings {
  /** For reports, and `sync --only`. */
  readonly name?: string;
  /**
   * A repository (`registry.example/app`), one image of it (`:1.0`, `@sha256:...`), repositories by a pattern
   * (`registry.example/team/**`), or a local place (`oci:DIR`).
   */
  readonly from: string | readonly string[];
  /**
   * Where to, all read once: a repository or local place, with `{registry}`, `{repository}`, `{name}` (the last part) and,
   * behind the colon, `{tag}`: `mirror.example/hub/{repository}:{tag}`.
   */
  readonly to: string | readonly string[];
}

export interface LimitsFile {
  /** `50GB`. */
  readonly bytes?: string;
  readonly pulls?: number;
}

/** What one run may move: what does not fit is left for the next one. */
export interface BudgetFile extends LimitsFile {
  /** To and from registries, by their names. */
  readonly registries?: Readonly<Record<string, LimitsFile>>;
}

/** A file of what is kept in sync, version 1. */
export interface SyncFile {
  readonly version: 1;
  readonly budget?: BudgetFile;
  readonly defaults?: SyncSettings;
  readonly sync: readonly Mapping[];
}
