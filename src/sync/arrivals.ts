/** A list that is read while it is still written: each item as it comes. */
export interface Arrivals<T> {
  readonly all: AsyncIterable<T>;
  readonly add: (item: T) => void;
  readonly end: () => void;
  /** Ends it with an error, after all that came before. */
  readonly fail: (error: unknown) => void;
}

export function arrivals<T>(): Arrivals<T> {
  const items: T[] = [];
  let over: { readonly error?: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  const close = (how: { readonly error?: unknown }): void => {
    over ??= how;
    wake.resolve();
  };
  return {
    add(item) {
      items.push(item);
      wake.resolve();
    },
    end: () => close({}),
    fail: (error) => close({ error }),
    all: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          yield* items.splice(0);
          if (items.length > 0) continue;
          if (over) break;
          await wake.promise;
          wake = Promise.withResolvers();
        }
        if ("error" in over) throw over.error;
      },
    },
  };
}
