import { throwIfAborted } from "../../oci/abort.ts";

/** A change to a document: what it becomes, and what is to be done once that is on disk. */
export type Change<T> = (document: T) => Promise<{ readonly document: T; readonly after?: () => Promise<void> }>;

interface Waiting<T> {
  readonly change: Change<T>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes changes one after the other, all that came while the last were being written together: `commit` gets a function
 * that applies them in turn, and reads and writes around it. A change that throws, or whose signal fires before its turn,
 * fails alone.
 */
export function changeQueue<T>(
  commit: (apply: (document: T) => Promise<T>) => Promise<void>,
): (change: Change<T>, signal?: AbortSignal) => Promise<void> {
  let waiting: Waiting<T>[] = [];
  let running = false;

  const round = async (batch: readonly Waiting<T>[]): Promise<void> => {
    const applied: (Waiting<T> & { readonly after: (() => Promise<void>) | undefined })[] = [];
    try {
      await commit(async (document) => {
        let current = document;
        for (const item of batch) {
          try {
            throwIfAborted(item.signal);
            const { document: next, after } = await item.change(current);
            current = next;
            applied.push({ ...item, after });
          } catch (error) {
            item.reject(error);
          }
        }
        return current;
      });
      for (const { after, resolve, reject } of applied) await Promise.resolve(after?.()).then(resolve, reject);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  const run = async (): Promise<void> => {
    running = true;
    for (let batch = waiting; batch.length > 0; batch = waiting) {
      waiting = [];
      await round(batch);
    }
    running = false;
  };
  return async (change, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener("abort", giveUp);
    waiting.push({ change, signal, resolve, reject });
    if (!running) void run();
    await promise.finally(() => signal?.removeEventListener("abort", giveUp));
  };
}
