import type { Digest } from "../oci/digest.ts";
import type { Put } from "../store/store.ts";
import type { BlobTally } from "./copy-blob.ts";
import type { Fetch } from "./prepare.ts";
import { together, type Together } from "./together.ts";

/** One copy at one destination, under way. */
export interface Running extends Together {
  /** Its name at the source. */
  readonly image: string;
  readonly at: number;
  readonly manifest: Fetch;
  readonly tally: { manifests: number; bytes: number; referrers: number; digestTags: number };
  /** Each blob, and how it got there. */
  readonly settled: Map<Digest, Put>;
  readonly attachedTags: string[];
}

/** Starts the account of one copy; its work stops at the first failure, or at the outer signal. */
export function running(image: string, at: number, manifest: Fetch, outer: AbortSignal | undefined): Running {
  return {
    ...together(outer),
    image,
    at,
    manifest,
    settled: new Map(),
    tally: { manifests: 0, bytes: 0, referrers: 0, digestTags: 0 },
    attachedTags: [],
  };
}

/** How many blobs got there in which way. */
export function tallyBlobs(settled: ReadonlyMap<Digest, Put>): BlobTally {
  const tally = { exists: 0, mounted: 0, written: 0 };
  for (const how of settled.values()) tally[how] += 1;
  return tally;
}
