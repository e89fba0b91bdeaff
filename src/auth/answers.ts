import { systemClock, type Clock } from "../transport/clock.ts";
import { until } from "./until.ts";

/** Answers to questions that take long, worked out once for all who ask meanwhile, and kept for a minute. */
export interface Answers<T> {
  /** Answers as `work` does; its signal fires when nobody waits any more. A failure is not kept. */
  ask(question: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Short enough for a new login to be seen soon, in milliseconds. */
const fresh = 60_000;

interface Entry<T> {
  readonly answer: Promise<T>;
  readonly stop: AbortController;
  readonly asked: number;
  waiting: number;
  isDone: boolean;
}

export function answers<T>(clock: Clock = systemClock): Answers<T> {
  const entries = new Map<string, Entry<T>>();
  const start = (question: string, work: (signal: AbortSignal) => Promise<T>): Entry<T> => {
    const stop = new AbortController();
    const entry: Entry<T> = { answer: work(stop.signal), stop, asked: clock.now(), waiting: 0, isDone: false };
    entries.set(question, entry);
    const forget = (): void => void (entries.get(question) === entry && entries.delete(question));
    entry.answer.then(() => (entry.isDone = true), forget);
    return entry;
  };
  return {
    async ask(question, work, signal) {
      const known = entries.get(question);
      const isUsable = known && !known.stop.signal.aborted && clock.now() - known.asked < fresh;
      const entry = isUsable ? known : start(question, work);
      entry.waiting += 1;
      try {
        return await until(entry.answer, signal);
      } finally {
        entry.waiting -= 1;
        if (entry.waiting === 0 && !entry.isDone) entry.stop.abort();
      }
    },
  };
}
