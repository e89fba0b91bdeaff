import { semaphore, type Semaphore } from "../graph/semaphore.ts";
import { isAbort } from "../graph/sides.ts";
import { isRegistryError } from "../oci/error.ts";
import type { Call } from "../store/store.ts";
import type { Ending } from "./act.ts";
import type { ApplyOptions } from "./apply.ts";
import type { Before } from "./before.ts";
import type { Hands } from "./hands.ts";
import { isDeletion, type DeleteManifest, type DeleteTag, type Plan, type Step } from "./plan.ts";
import type { Settle } from "./schedule.ts";

/** What the parts of an application share. */
export interface Running {
  readonly hands: Hands;
  readonly options: ApplyOptions;
  /** With the signal that also fires where the application has to end. */
  readonly call: Call;
  readonly room: Semaphore;
  /** The ids of the steps that have ended. */
  readonly ended: Set<string>;
  /** The deletions in a place that may still come. */
  readonly openIn: (place: string) => readonly (DeleteTag | DeleteManifest)[];
  /** Writes down what is about to be done; nothing may be done before it is written. Where that fails, all ends. */
  readonly begin: (step: Step, before: Before) => Promise<void>;
  /** How a step ends without having been tried: where its registry leaves one after the other unanswered. */
  readonly silent: (step: Step) => Ending | undefined;
  readonly settle: Settle;
  /** Settles a step by what the work answers, or throws; throws itself where everything has to end. */
  readonly attempt: (step: Step, work: () => Promise<Ending>) => Promise<void>;
}

/** Puts together what the parts of an application share. */
export function runningOf(plan: Plan, hands: Hands, options: ApplyOptions, settle: Settle): Running {
  const stop = new AbortController();
  const call = { signal: options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal };
  const placeOf = ({ at }: Step): string => hands.open(at).place;
  const deletions = Map.groupBy(plan.steps.filter(isDeletion), placeOf);
  const hostOf = (step: Step): string => placeOf(step).split("/", 1)[0]!;
  const ended = new Set<string>();
  const silent = silence();
  let broken: { readonly error: unknown } | undefined;
  return {
    hands,
    options,
    call,
    room: semaphore(options.jobs ?? 8),
    ended,
    openIn: (place) => (deletions.get(place) ?? []).filter(({ id }) => !ended.has(id)),
    silent: (step) => silent.skips(hostOf(step)),
    settle,
    async begin(step, before) {
      try {
        await options.journal?.begin(step, before);
      } catch (error) {
        broken ??= { error };
        stop.abort(error);
      }
      if (broken) throw broken.error;
      call.signal.throwIfAborted();
    },
    async attempt(step, work) {
      let ending: Ending;
      try {
        ending = await work();
      } catch (error) {
        if (broken) throw broken.error;
        if (isAbort(error) || call.signal.aborted) throw error;
        ending = failed(error);
      }
      silent.note(hostOf(step), ending);
      settle(step, ending);
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

/** How a step ends that fails; why says the way out, too. */
export function failed(error: unknown): Ending {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const why = isRegistryError(error) && error.hint !== undefined ? `${message}; ${error.hint}` : message;
  return { outcome: "failed", why, error };
}

/** Whether a registry said that it did not do what it was asked for. */
export const isRefusal = (error: unknown): boolean =>
  isRegistryError(error) && error.status !== undefined && error.status >= 400 && error.status < 500;

/** Waits until all have settled; the first failure is thrown then. */
export async function all(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
