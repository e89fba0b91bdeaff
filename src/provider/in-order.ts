/** Works on up to `atOnce` items at a time, and gives the results in the items' order, the first as soon as it is there. */
export async function* inOrder<T, U>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<U>,
): AsyncGenerator<U, void> {
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
