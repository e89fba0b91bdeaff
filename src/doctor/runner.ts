import { RegistryError } from "../oci/error.ts";
import { aborted } from "../transport/clock.ts";
import { blame } from "./blame.ts";
import type { Bench } from "./context.ts";
import { skipped, type CheckName, type Step } from "./diagnosis.ts";
import type { Place } from "./place.ts";

type Work<T> = (bench: Bench) => Promise<Step<T>>;

/** How a check ends whose time is over: at once, or when it has cleaned up by itself, which must not take long. */
type Ending = "at once" | "by itself";

/** Runs checks, each in its own time, and those that build on others when these are done. */
export interface Runner {
  readonly run: <T>(check: CheckName, work: Work<T>, ending?: Ending) => Promise<Step<T>>;
  readonly after: <T, U>(
    check: CheckName,
    before: Promise<Step<T>>,
    work: (known: T, bench: Bench) => Promise<Step<U>>,
    ending?: Ending,
  ) => Promise<Step<U>>;
}

/** Checks never reject, but for an interruption: what they throw is a fault of what they look at. */
export function runner(place: Place, bench: Bench): Runner {
  const run: Runner["run"] = (check, work, ending) => watched(bounded(check, place, bench, work, ending));
  return {
    run,
    after: (check, before, work, ending) =>
      watched(
        before.then((step) => {
          const { known, blockedBy } = step;
          if (known !== undefined) return run(check, (bench) => work(known, bench), ending);
          const told = skipped(check, `not looked at: it builds on ${blockedBy ?? "what failed"}`, {
            host: place.host,
          });
          return { told: [told], ...(blockedBy && { blockedBy }) };
        }),
      ),
  };
}

async function bounded<T>(
  check: CheckName,
  place: Place,
  bench: Bench,
  work: Work<T>,
  ending: Ending = "at once",
): Promise<Step<T>> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), bench.timeout);
  const signal = AbortSignal.any([bench.signal, late.signal]);
  try {
    const working = work({ ...bench, signal });
    const step = await (ending === "at once" ? until(working, signal) : working);
    return step.known === undefined ? { ...step, blockedBy: check } : step;
  } catch (error) {
    if (bench.signal.aborted) throw aborted(bench.signal);
    const told = late.signal.aborted ? overdue(place, bench.timeout) : error;
    return { told: [blame(check, told, place)], blockedBy: check };
  } finally {
    clearTimeout(timer);
  }
}

function overdue({ host }: Place, ms: number): RegistryError {
  return new RegistryError("TIMEOUT", `${host} did not answer within ${ms / 1000} s`, { host });
}

/** Waits for work, but no longer than the signal lets us. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(aborted(signal));
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** A promise that somebody awaits later: it may reject before. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
