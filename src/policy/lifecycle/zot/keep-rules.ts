import type { Losses } from "../fold.ts";
import type { Exception } from "../rules.ts";
import { durationOf, type KeepRules } from "./document.ts";

type Kept = Pick<Exception, "at" | "newest" | "within" | "olderThan" | "by">;

/** The rules that keep all that any of these does; undefined where none do. */
export function keepRules(kept: readonly Kept[], lost: Losses): KeepRules | undefined {
  let [pushed, pulled, pushedCount, pulledCount] = [-1, -1, 0, 0];
  for (const { at, newest, within, olderThan, by } of kept) {
    if (olderThan !== undefined) return undefined;
    if (newest !== undefined && within !== undefined) lost.add(at, "keeps by age and number: zot keeps by either");
    if (within !== undefined && by === "push") pushed = Math.max(pushed, within);
    if (within !== undefined && by !== "push") pulled = Math.max(pulled, within);
    if (within !== undefined && by === "pull")
      lost.add(at, "keeps by the last pull: zot keeps what is as newly pushed too");
    if (newest === undefined) continue;
    if (by !== "pull") pushedCount = Math.max(pushedCount, newest);
    if (by !== "push") pulledCount = Math.max(pulledCount, newest);
    if (by === "activity") lost.add(at, "counts by push or pull, whichever was later: zot by each, and keeps more");
  }
  return {
    ...(pulled >= 0 && { pulledWithin: durationOf(pulled) }),
    ...(pushed >= 0 && { pushedWithin: durationOf(pushed) }),
    ...(pushedCount > 0 && { mostRecentlyPushedCount: pushedCount }),
    ...(pulledCount > 0 && { mostRecentlyPulledCount: pulledCount }),
  };
}
