import type { CopyEvent } from "../graph/copy.ts";
import type { Inventory } from "../graph/inventory.ts";
import type { Root } from "../graph/needed.ts";
import { semaphore } from "../graph/semaphore.ts";
import { isAbort } from "../graph/sides.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import type { Call } from "../store/store.ts";
import { isSingle, look, type Ending } from "./act.ts";
import type { Before } from "./before.ts";
import { copyAll } from "./copies.ts";
import { deleteIn } from "./deletions.ts";
import type { Hands } from "./hands.ts";
import { isDeletion, type CopyImage, type Plan, type Step } from "./plan.ts";
import type { Running } from "./running.ts";
import { inTurn, isDone } from "./schedule.ts";
import { checkOrder } from "./schema.ts";

/** What applying tells while it works. */
export type PlanEvent = CopyEvent | { readonly type: "step"; readonly step: Step; readonly ending: Ending };

export interface ApplyOptions extends Call {
  /** How many steps at a time; 8. */
  readonly jobs?: number;
  /** Bytes a second, over all copies. */
  readonly limitRate?: number;
  /** The most deletions that the plan may have: a number, or a part of all it looked at (`10%`). More throw REFUSED before the first step. */
  readonly maxDelete?: number | `${number}%`;
  /** What in a repository must not go, whatever the plan says. */
  readonly protect?: (inventory: Inventory) => readonly Root[];
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
 * expects is stale and left, too. A step that fails stops those that come after it and no others. Throws INVALID for a plan
 * that cannot be right, ABORTED when the signal fires, and what the journal throws; then nothing more is begun, and what
 * was begun has settled.
 */
export async function applyPlan(plan: Plan, hands: Hands, options: ApplyOptions = {}): Promise<Applied> {
  checkOrder({ name: "the plan", value: plan }, plan);
  checkDeletions(plan, options.maxDelete);
  const stores = new Set(plan.steps.map(({ at }) => hands.open(at).store));
  const { work, call } = workOf(plan, hands, options);
  const endings = await inTurn(plan.steps, work);
  for (const store of stores) await store.flush(call);
  return { endings, complete: [...endings.values()].every(isDone) };
}

/** Throws REFUSED where a plan has more deletions than it may. */
export function checkDeletions({ steps, kept }: Plan, most: ApplyOptions["maxDelete"]): void {
  if (most === undefined) return;
  const deletions = steps.filter(isDeletion).length;
  const all = deletions + kept.length;
  const limit = typeof most === "number" ? most : Math.floor((Number.parseFloat(most) / 100) * all);
  if (deletions <= limit) return;
  throw new RegistryError("REFUSED", `the plan deletes ${deletions} of ${all}, and no more than ${most} may go`, {
    hint: "look at the plan; if it is right, allow more by --max-delete",
  });
}

/** How steps are done: copies from one place and deletions in one repository together, all else by itself. */
function workOf(
  plan: Plan,
  hands: Hands,
  options: ApplyOptions,
): { readonly work: Parameters<typeof inTurn>[1]; readonly call: Call } {
  const { journal, onEvent } = options;
  const stop = new AbortController();
  const call = { signal: options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal };
  const room = semaphore(options.jobs ?? 8);
  const deletions = Map.groupBy(plan.steps.filter(isDeletion), ({ at }) => hands.open(at).place);
  const ended = new Set<string>();
  const silent = silence();
  const hostOf = ({ at }: Step): string => hands.open(at).place.split("/", 1)[0]!;
  let broken: { readonly error: unknown } | undefined;

  /** Nothing is done that is not written down: where that fails, all ends. */
  const begin = async (step: Step, before: Before): Promise<void> => {
    try {
      await journal?.begin(step, before);
    } catch (error) {
      broken ??= { error };
      stop.abort(error);
    }
    if (broken) throw broken.error;
    call.signal.throwIfAborted();
  };

  const running = (settle: Running["settle"]): Running => ({
    hands,
    options,
    call,
    room,
    openIn: (place) => (deletions.get(place) ?? []).filter(({ id }) => !ended.has(id)),
    begin,
    silent: (step) => silent.skips(hostOf(step)),
    settle,
    async attempt(step, work) {
      let ending: Ending;
      try {
        ending = await work();
      } catch (error) {
        if (broken) throw broken.error;
        if (isAbort(error) || call.signal.aborted) throw error;
        ending = { outcome: "failed", why: whyOf(error), error };
      }
      silent.note(hostOf(step), ending);
      settle(step, ending);
    },
  });

  const one = (step: Step, { attempt }: Running): Promise<void> =>
    attempt(step, async () => {
      if (!isSingle(step)) throw new RegistryError("INVALID", `nobody knows how to do ${JSON.stringify(step)}`);
      const found = silent.skips(hostOf(step)) ?? (await look(step, hands, call));
      if ("outcome" in found) return found;
      await begin(step, found.before);
      return found.act();
    });

  return {
    call,
    work: {
      keyOf(step) {
        if (step.do === "copy") return `copy ${placeOf(step)}`;
        return isDeletion(step) ? `delete ${hands.open(step.at).place}` : undefined;
      },
      async run(steps, settle) {
        const [first] = steps;
        const now = running(settle);
        if (first?.do === "copy") return copyAll(steps as readonly CopyImage[], now);
        if (first && isDeletion(first)) return deleteIn(hands.open(first.at).place, steps.filter(isDeletion), now);
        if (first) await room(() => one(first, now));
      },
      onEnd(step, ending) {
        ended.add(step.id);
        journal?.end(step, ending);
        onEvent?.({ type: "step", step, ending });
      },
    },
  };
}

/** So many steps at one registry, one after the other, without an answer: each was tried several times. */
const longestSilence = 10;

/** Counts what a registry leaves unanswered, so that one that is down is not asked for each of very many steps. */
function silence(): { skips(host: string): Ending | undefined; note(host: string, ending: Ending): void } {
  const unanswered = new Map<string, number>();
  return {
    skips: (host) =>
      (unanswered.get(host) ?? 0) < longestSilence
        ? undefined
        : { outcome: "skipped", why: `${host} did not answer ${longestSilence} steps in a row` },
    note(host, { outcome, error }) {
      if (outcome === "skipped") return;
      const isSilent = isRegistryError(error, "NETWORK", "TIMEOUT", "UNAVAILABLE");
      unanswered.set(host, isSilent ? (unanswered.get(host) ?? 0) + 1 : 0);
    },
  };
}

/** The repository, or other place, that a copy reads from. */
function placeOf({ from }: CopyImage): string {
  return from.replace(/@sha\d+:[0-9a-f]+$/, "").replace(/:[\w.-]+$/, "");
}

/** What a failure says, with the way out. */
function whyOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return isRegistryError(error) && error.hint !== undefined ? `${message}; ${error.hint}` : message;
}
