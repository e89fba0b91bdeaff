const atOnce = 8;

/** Works on several items at a time, and gives the results in the items' order. */
export async function* inOrder<T, U>(items: AsyncIterable<T>, work: (item: T) => Promise<U>): AsyncGenerator<U, void> {
  const pending: Promise<U>[] = [];
  try {
    for await (const item of items) {
      const started = work(item);
      // What fails before its turn is told in its turn.
      started.catch(() => {});
      pending.push(started);
      if (pending.length >= atOnce) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** Turns each item into another as it comes. */
export async function* mapped<T, U>(items: AsyncIterable<T>, turn: (item: T) => U): AsyncGenerator<U, void> {
  for await (const item of items) yield turn(item);
}
