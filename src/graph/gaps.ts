import { isAbsent } from "../oci/error.ts";
import type { Source } from "../store/store.ts";
import type { Gap } from "./inventory.ts";
import { isAbort } from "./sides.ts";

/** After so many gaps nothing more is read: the registry does not answer, and nothing will be decided. */
const gapLimit = 100;
/** The most manifests, and the most tags, that are read: a registry that never ends is stopped here. */
const countLimit = 1_000_000;

/** Notes what of a repository could not be read. */
export interface Gaps {
  readonly all: Gap[];
  /** Does what reads: what it throws is a gap, but not that something is not there. An abort goes through. */
  attempt(at: string, read: () => Promise<void>): Promise<void>;
  /** Whether there are too many, which is a gap as well. */
  isFull(count: number): boolean;
}

export function gapsOf(from: Source, signal?: AbortSignal): Gaps {
  const all: Gap[] = [];
  let stopped = false;
  const stop = (why: string): void => {
    stopped = true;
    all.push({ at: from.name, why });
  };
  return {
    all,
    async attempt(at, read) {
      if (stopped) return;
      try {
        await read();
      } catch (error) {
        if (isAbort(error) || signal?.aborted) throw error;
        if (isAbsent(error) || stopped) return;
        all.push({ at, why: error instanceof Error ? error.message : String(error) });
        if (all.length === gapLimit) stop(`after ${gapLimit} that could not be read, nothing more was`);
      }
    },
    isFull(count) {
      if (!stopped && count >= countLimit) stop(`it has more than ${countLimit} manifests or tags`);
      return stopped;
    },
  };
}
