import type { Applied } from "../plan/apply.ts";
import type { Plan } from "../plan/plan.ts";
import type { SyncState } from "../policy/sync/state.ts";
import type { SyncCache } from "./cache.ts";

/** Notes what a plan has brought to its destinations: until that gets old, or anything about it changes, nobody looks there again. */
export function remember(cache: SyncCache, state: SyncState, plan: Plan, { endings }: Applied, now: Date): void {
  const done = new Set(
    plan.steps.flatMap(({ id, do: what, at }) => {
      const outcome = endings.get(id)?.outcome;
      return what === "copy" && (outcome === "done" || outcome === "already") ? [at] : [];
    }),
  );
  for (const { images } of state.routes) {
    for (const { digest, targets } of images) {
      for (const { at, mark } of targets) {
        if (digest && mark !== undefined && done.has(at)) cache.note(at, { digest, mark, at: now.getTime() });
      }
    }
  }
}
