/** Buffers that are used again, so that memory stays as it is however much flows through them. */
export interface BufferPool {
  /** How long its buffers are, unless many are in use. */
  readonly size: number;
  /** A buffer nobody else has. */
  take(): Buffer;
  /** Gives a buffer back that nobody will look at or write to any more. */
  give(buffer: Buffer): void;
  /** Says of a buffer that it will not come back: somebody may still look at it, or write to it. */
  forget(buffer: Buffer): void;
}

/** A pool of `count` buffers; while all are in use it hands out ones of a quarter of their size. */
export function bufferPool(size: number, count: number): BufferPool {
  const free: Buffer[] = [];
  const freeSmall: Buffer[] = [];
  let made = 0;
  return {
    size,
    take() {
      const buffer = free.pop();
      if (buffer) return buffer;
      if (made >= count) return freeSmall.pop() ?? Buffer.allocUnsafeSlow(size / 4);
      made++;
      return Buffer.allocUnsafeSlow(size);
    },
    give(buffer) {
      if (buffer.length === size) free.push(buffer);
      else if (freeSmall.length < count) freeSmall.push(buffer);
    },
    forget(buffer) {
      if (buffer.length === size) made--;
    },
  };
}
