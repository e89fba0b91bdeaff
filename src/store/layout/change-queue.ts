/** A change to a document: what it becomes, and what is to be done once that is on disk. */
export type Change<T> = (document: T) => Promise<{ readonly document: T; readonly after?: () => Promise<void> }>;

/**
 * Makes changes one after the other, all that came while the last were being written together: `commit` gets a function
 * that applies them in turn, and reads and writes around it. A change that throws fails alone.
 */
export function changeQueue<T>(
  commit: (apply: (document: T) => Promise<T>) => Promise<void>,
): (change: Change<T>) => Promise<void> {
  interface Waiting {
    readonly change: Change<T>;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let running = false;

  const round = async (batch: readonly Waiting[]): Promise<void> => {
    const applied: (Waiting & { readonly after?: () => Promise<void> })[] = [];
    try {
      await commit(async (document) => {
        let current = document;
        for (const item of batch) {
          try {
            const { document: next, after } = await item.change(current);
            current = next;
            applied.push({ ...item, ...(after && { after }) });
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
  return (change) =>
    new Promise((resolve, reject) => {
      waiting.push({ change, resolve, reject });
      if (!running) void run();
    });
}
