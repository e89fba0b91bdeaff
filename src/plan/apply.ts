import type { CopyEvent } from "../graph/copy.ts";
import type { Inventory } from "../graph/inventory.ts";
import type { Root } from "../graph/needed.ts";
import { isAbort } from "../graph/sides.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { parseLocation } from "../oci/location.ts";
import { isDigestTag } from "../oci/reference.ts";
import type { Call, Store } from "../store/store.ts";
import { isSingle, look, type Ending } from "./act.ts";
import type { Before } from "./before.ts";
import { checkSteps } from "./check-steps.ts";
import { copyAll } from "./copies.ts";
import { deleteIn } from "./deletions.ts";
import type { Hands } from "./hands.ts";
import { isDeletion, type CopyImage, type Plan, type Step } from "./plan.ts";
import { all, failed, runningOf, type Running } from "./running.ts";
import { inTurn, isDone, type Work } from "./schedule.ts";

/** What applying tells while it works. */
export type PlanEvent = CopyEvent | { readonly type: "step"; readonly step: Step; readonly ending: Ending };

/** What must not go. */
export interface Guards {
  /** What in a repository must not go, whatever the plan says. */
  readonly protect?: (inventory: Inventory) => readonly Root[];
  /** What else is looked for in a repository, for `protect`: manifests that no tag may lead to. */
  readonly also?: (repository: string) => Iterable<Digest>;
}

export interface ApplyOptions extends Call, Guards {
  /** How many steps at a time; 8. */
  readonly jobs?: number;
  /** Bytes a second, over all copies. */
  readonly limitRate?: number;
  /** The most tags and images that the plan may delete: a number, or a part of all it looked at (`10%`). More throw REFUSED before the first step. */
  readonly maxDelete?: number | `${number}%`;
  /** Writes down what is to be done, and what is needed to take it back, before each step; and how it ended. */
  readonly journal?: Journal;
  readonly onEvent?: (event: PlanEvent) => void;
}

/** Where applying writes what it does. What `begin` got is durable before it settles; where it throws, nothing more is done. */
export interface Journal {
  begin(step: Step, before: Before): Promise<void>;
  end(step: Step, ending: Ending): void;
}

export interface Applied {
  /** By the steps' ids. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** Whether every step was done, now or before. */
  readonly complete: boolean;
}

/**
 * Does what a plan says. Each step is held against what is there first: what is done already is left, what is not as the plan
 * expects is stale and left, too. A step that fails stops those that come after it and no others. What is in a local place is
 * done once that is flushed: where it cannot be, its steps have failed. Throws INVALID for a plan that cannot be right, ABORTED
 * when the signal fires, and what the journal throws; then nothing more is begun, and what was begun has settled.
 */
export async function applyPlan(plan: Plan, hands: Hands, options: ApplyOptions = {}): Promise<Applied> {
  checkSteps({ name: "the plan", value: plan }, plan);
  checkDeletions(plan, options.maxDelete);
  const stores = new Set(plan.steps.map(({ at }) => hands.open(at).store));
  const unflushed: Step[] = [];
  const tell: Work["onEnd"] = (step, ending) => {
    options.journal?.end(step, ending);
    options.onEvent?.({ type: "step", step, ending });
  };
  const onEnd: Work["onEnd"] = (step, ending) => {
    if (ending.outcome === "done" && parseLocation(step.at).transport !== "registry") unflushed.push(step);
    else tell(step, ending);
  };
  const endings = new Map(await inTurn(plan.steps, (settle) => workOf(runningOf(plan, hands, options, settle), onEnd)));
  const faults = await flush(stores, options.signal);
  for (const step of unflushed) {
    const fault = faults.get(hands.open(step.at).store);
    const ending = fault ?? endings.get(step.id)!;
    endings.set(step.id, ending);
    tell(step, ending);
  }
  return { endings, complete: [...endings.values()].every(isDone) };
}

/** How the steps end whose stores cannot be flushed. Throws ABORTED when the signal fires. */
async function flush(stores: ReadonlySet<Store>, signal: AbortSignal | undefined): Promise<ReadonlyMap<Store, Ending>> {
  const flushes = [...stores].map(async (store): Promise<readonly [Store, Ending] | undefined> => {
    try {
      await store.flush({ signal });
      return undefined;
    } catch (error) {
      if (isAbort(error) || signal?.aborted) throw error;
      return [store, failed(error)];
    }
  });
  await all(flushes);
  return new Map((await Promise.all(flushes)).filter((one) => one !== undefined));
}

/** Throws REFUSED where a plan has more deletions than it may. */
export function checkDeletions({ steps, kept }: Plan, most: ApplyOptions["maxDelete"]): void {
  if (most === undefined) return;
  const deletions = countDeletions(steps);
  const all = deletions + kept.filter(({ at, rule }) => rule !== undefined || !isDigestTag(tagAt(at))).length;
  const limit = typeof most === "number" ? most : Math.floor((Number.parseFloat(most) / 100) * all);
  if (deletions <= limit) return;
  throw new RegistryError(
    "REFUSED",
    `the plan deletes ${deletions} of ${all} tags and images, and no more than ${most} may go`,
    {
      hint: "look at the plan; if it is right, allow more by --max-delete",
    },
  );
}

/**
 * The tags that go, and the images without one; not what goes along with another, nor the tags that attach it. What stays along is
 * not in `kept` either, but for such tags, of which no rule says anything.
 */
export function countDeletions(steps: readonly Step[]): number {
  const deletions = steps.filter(isDeletion);
  const ids = new Set(deletions.flatMap((step) => (step.do === "delete manifest" ? step.id : [])));
  return deletions.reduce((sum, step) => {
    const tags = step.do === "delete tag" ? [tagAt(step.at)] : step.tags;
    const own = tags.filter((tag) => !isDigestTag(tag)).length;
    return sum + (own || (step.after?.some((id) => ids.has(id)) ? 0 : 1));
  }, 0);
}

/** The tag at the end of `HOST/REPOSITORY:TAG`; of what has a digest there, its hex. */
const tagAt = (at: string): string => at.slice(at.lastIndexOf(":") + 1);

/** How steps are done: copies from one place and deletions in one repository together, all else by itself. */
function workOf(running: Running, onEnd: Work["onEnd"]): Work {
  const { hands, room, ended } = running;
  return {
    keyOf(step) {
      if (step.do === "copy") return `copy ${sourceOf(step)}`;
      return isDeletion(step) ? `delete ${hands.open(step.at).place}` : undefined;
    },
    async run(steps) {
      const [first] = steps;
      if (first?.do === "copy") return copyAll(steps as readonly CopyImage[], running);
      if (first && isDeletion(first)) return deleteIn(hands.open(first.at).place, steps.filter(isDeletion), running);
      if (first) await room(() => doOne(first, running));
    },
    onEnd(step, ending) {
      ended.add(step.id);
      onEnd(step, ending);
    },
  };
}

function doOne(step: Step, { hands, call, begin, silent, attempt }: Running): Promise<void> {
  return attempt(step, async () => {
    if (!isSingle(step)) throw new RegistryError("INVALID", `nobody knows how to do ${JSON.stringify(step)}`);
    const found = silent(step) ?? (await look(step, hands, call));
    if ("outcome" in found) return found;
    await begin(step, found.before);
    return found.act();
  });
}

/** The repository, or other place, that a copy reads from. */
function sourceOf({ from }: CopyImage): string {
  return from.replace(/@sha\d+:[0-9a-f]+$/, "").replace(/:[\w.-]+$/, "");
}
