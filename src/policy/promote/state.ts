import type { Digest } from "../../oci/digest.ts";
import type { GateResult } from "./gate.ts";
import type { Who } from "./receipt.ts";
import type { WantedTag } from "./target.ts";

/** One image, and one place that it is to go to, as both are now. */
export interface Promotion {
  /** Where the image is read: with its tag, if it has one, and with its digest. */
  readonly from: string;
  /** The repository of that. */
  readonly repository: string;
  readonly digest: Digest;
  /** The image's version, where anything tells. */
  readonly release?: string;
  readonly stage?: string;
  /** The repository that it goes to. */
  readonly to: string;
  readonly tags: readonly TagNow[];
  /** Whether that has to be created first. */
  readonly create?: boolean;
  /** How the gates of the stage were passed. */
  readonly gates: readonly GateResult[];
  /** A stage with gates that gets these tags there, too, where none was named. */
  readonly ungated?: string;
  /** The tags that this image cannot have, and why. */
  readonly leftOut: readonly string[];
}

/** A tag as it is now. */
export interface TagNow extends WantedTag {
  /** Null where there is no such tag. */
  readonly names: Digest | null;
  /** The version of what it names, where anything tells. */
  readonly release?: string;
  /** Who says that it must not move: `the configuration`, `Harbor`. */
  readonly immutable?: string;
}

/** What is said of a promotion or rollback as a whole. */
export interface PromotionPolicy {
  readonly who: Who;
  /** What goes into receipts as the tool: `gantry 0.1.0`. */
  readonly tool: string;
  /** Moves immutable tags, and tags backwards. */
  readonly force?: boolean;
  readonly reason?: string;
  /** What the plan was made from, for people. */
  readonly from?: string;
}
