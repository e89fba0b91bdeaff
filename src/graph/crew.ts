/** Does tasks, those too that other tasks add. */
export interface Crew {
  add(task: () => Promise<void>): void;
  /** Settles when nothing is left to do. The first failure is thrown, once what was begun has ended; the rest is not begun. */
  done(): Promise<void>;
  /** Begins nothing more. */
  stop(): void;
}

/** Does tasks at most `limit` at a time, first come first served. */
export function crew(limit: number): Crew {
  let open: (() => Promise<void>)[] = [];
  let next = 0;
  let running = 0;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => {};

  const begin = (): void => {
    while (running < limit && next < open.length && !failure) {
      const task = open[next++]!;
      running += 1;
      void run(task);
    }
    if (next === open.length) [open, next] = [[], 0];
    if (running === 0) wake();
  };
  async function run(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      failure ??= { error };
    }
    running -= 1;
    begin();
  }

  return {
    add(task) {
      open.push(task);
      begin();
    },
    async done() {
      if (running > 0) await new Promise<void>((resolve) => (wake = resolve));
      if (failure) throw failure.error;
    },
    stop() {
      [open, next] = [[], 0];
    },
  };
}
