import type { Digest } from "../../oci/digest.ts";
import { verified, type Content } from "../../oci/stream.ts";
import { aborted } from "../../transport/clock.ts";

/** Content to send: any part of it, any number of times, opened as seldom as possible. */
export interface Rereadable {
  /**
   * The bytes from `start` on, `length` of them or all. Opens the content where the slice read before did not end right
   * there; a slice still being read is void from then on.
   */
  slice(start: number, length?: number): Content;
  /** Reads all of it and gives its size in bytes. */
  measure(): Promise<number>;
  /** What the content itself has thrown, which no other try at the destination mends. */
  readonly failure: { readonly error: unknown } | undefined;
  close(): Promise<void>;
}

export interface Expected {
  readonly digest: Digest;
  readonly size?: number;
  readonly signal?: AbortSignal;
}

interface Cursor {
  readonly pieces: AsyncIterator<Uint8Array>;
  position: number;
  /** What is left of a piece that a slice ended in; still valid, as no other has been asked for since. */
  rest?: Uint8Array;
  /** Whether a slice is under way. */
  busy: boolean;
}

/** Makes content rereadable; what comes out is verified against the digest, and the size where it is known. */
export function rereadable(content: Content, expected: Expected): Rereadable {
  const { size, signal } = expected;
  let current: Cursor | undefined;
  let failure: { readonly error: unknown } | undefined;
  let readers = 0;

  const close = async (): Promise<void> => {
    const last = current;
    current = undefined;
    await last?.pieces.return?.();
  };

  /** Runs what touches the content; its error counts if nobody else has begun to read since. */
  const touch = async <T>(reader: number, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (reader === readers) failure = { error };
      throw error;
    }
  };

  const take = async (reader: number, cursor: Cursor, most: number): Promise<Uint8Array | undefined> => {
    if (signal?.aborted) throw aborted(signal);
    let piece = cursor.rest;
    if (!piece) {
      const step = await touch(reader, () => cursor.pieces.next());
      if (step.done === true) return undefined;
      piece = step.value;
    }
    const taken = piece.subarray(0, Math.min(piece.byteLength, most));
    cursor.rest = taken.byteLength < piece.byteLength ? piece.subarray(taken.byteLength) : undefined;
    cursor.position += taken.byteLength;
    return taken;
  };

  const seek = async (reader: number, start: number): Promise<Cursor> => {
    if (current?.position === start && !current.busy) return Object.assign(current, { busy: true });
    await close();
    failure = undefined;
    const stream = await touch(reader, content);
    const cursor: Cursor = { pieces: verified(stream, expected)[Symbol.asyncIterator](), position: 0, busy: true };
    if (reader !== readers) {
      await cursor.pieces.return?.();
      throw new Error("another slice is read by now");
    }
    current = cursor;
    while (cursor.position < start && (await take(reader, cursor, start - cursor.position))) {
      // what the other end has already
    }
    return cursor;
  };

  async function* read(start: number, length: number): AsyncGenerator<Uint8Array, void> {
    const reader = ++readers;
    const cursor = await seek(reader, start);
    const end = start + length;
    while (cursor.position < end) {
      const piece = await take(reader, cursor, end - cursor.position);
      if (!piece) break;
      yield piece;
    }
    cursor.busy = false;
  }

  return {
    slice: (start, length = Infinity) => {
      // the last slice reads on to the end, so that the content's own end is seen
      const most = start + length === size ? Infinity : length;
      return () => Promise.resolve(read(start, most));
    },
    async measure() {
      let measured = 0;
      for await (const piece of read(0, Infinity)) measured += piece.byteLength;
      return measured;
    },
    get failure() {
      return failure;
    },
    close,
  };
}
