/** Runs a task when there is room for it. */
export type Semaphore = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs tasks, at most `limit` at a time, first come first served. */
export function semaphore(limit: number): Semaphore {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
