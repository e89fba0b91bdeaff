/** Buffers of one size, used again, so that memory stays as it is however much flows through them. */
export interface BufferPool {
  readonly size: number;
  /** A buffer nobody else has; a new one where none is free. */
  take(): Buffer;
  /** Gives a buffer back that nobody will look at or write to any more. */
  give(buffer: Buffer): void;
}

/** A pool that keeps up to `capacity` free buffers. */
export function bufferPool(size: number, capacity: number): BufferPool {
  const free: Buffer[] = [];
  return {
    size,
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(size),
    give(buffer) {
      if (free.length < capacity) free.push(buffer);
    },
  };
}
