import type { BufferPool } from "./buffers.ts";

/**
 * The way of a body's bytes from a socket, which writes them into pooled buffers, to a consumer, which has a piece until
 * it asks for the next. A buffer goes back to the pool only when the socket cannot write to it any more, all its bytes
 * were handed out and the consumer has asked for more since; where anything was cut short, it is left to the collector.
 */
export interface Inflow {
  /** Where the socket may write next: bytes that nobody looks at. Stays as it is until more is written. */
  region(): Buffer;
  /** So many bytes were written to the region's start. */
  wrote(length: number): void;
  /** Hands what is there to a consumer that waits. */
  flush(): void;
  /** How many bytes wait to be handed out. */
  waitingBytes(): number;
  /** Whether a consumer waits for bytes. */
  isAwaited(): boolean;
  /** No more bytes come: the body is complete. */
  end(): void;
  /** No more bytes come, or are wanted: what did is not handed out any more. */
  fail(error: Error): void;
  next(): Promise<IteratorResult<Uint8Array, undefined>>;
}

interface Fill {
  readonly bytes: Buffer;
  readonly isPooled: boolean;
  /** Handed out up to here, filled up to there. */
  start: number;
  end: number;
  /** Whether the socket may write to it. */
  isOpen: boolean;
}

/** Regions are not smaller than `room`, since each is filled by one read at most. `first` is what came with the head. */
export function inflow(pool: BufferPool, room: number, first: Buffer): Inflow {
  const full: Fill[] =
    first.length > 0 ? [{ bytes: first, isPooled: false, start: 0, end: first.length, isOpen: false }] : [];
  let open: Fill | undefined;
  let lent: Fill | undefined;
  let waiting: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;
  let isComplete = false;
  let failure: Error | undefined;

  const recycle = (fill: Fill): void => {
    if (fill.isPooled && !fill.isOpen && fill !== lent && fill.start === fill.end) pool.give(fill.bytes);
  };
  const shut = (): void => {
    if (!open) return;
    const fill = open;
    open = undefined;
    fill.isOpen = false;
    if (fill.start < fill.end) full.push(fill);
    else recycle(fill);
  };
  const hand = (): IteratorResult<Uint8Array, undefined> | undefined => {
    const fill = full.shift() ?? (open && open.start < open.end ? open : undefined);
    if (!fill) return isComplete ? { done: true, value: undefined } : undefined;
    const value = fill.bytes.subarray(fill.start, fill.end);
    fill.start = fill.end;
    lent = fill;
    return { done: false, value };
  };
  const flow: Inflow = {
    region() {
      if (open && open.start === open.end && open !== lent) open.start = open.end = 0;
      if (open && open.bytes.length - open.end < room) shut();
      open ??= { bytes: pool.take(), isPooled: true, start: 0, end: 0, isOpen: true };
      return open.end === 0 ? open.bytes : open.bytes.subarray(open.end);
    },
    wrote(length) {
      open!.end += length;
    },
    flush() {
      const result = waiting && hand();
      if (!result) return;
      waiting!.resolve(result);
      waiting = undefined;
    },
    waitingBytes: () => full.reduce((sum, fill) => sum + fill.end - fill.start, open ? open.end - open.start : 0),
    isAwaited: () => waiting !== undefined,
    end() {
      shut();
      isComplete = true;
      flow.flush();
    },
    fail(error) {
      if (failure) return;
      failure = error;
      const left = new Set([...full.splice(0), ...(open ? [open] : []), ...(lent ? [lent] : [])]);
      for (const fill of left) if (fill.isPooled) pool.forget(fill.bytes);
      waiting?.reject(error);
      waiting = undefined;
    },
    next() {
      const previous = lent;
      lent = undefined;
      if (failure) return Promise.reject(failure);
      if (previous) recycle(previous);
      const result = hand();
      if (result) return Promise.resolve(result);
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
  };
  return flow;
}
