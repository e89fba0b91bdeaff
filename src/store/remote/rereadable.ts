import type { Digest } from "../../oci/digest.ts";
import { verified, type Content } from "../../oci/stream.ts";
import { aborted } from "../../transport/clock.ts";

/** Content to send: any part of it, any number of times, opened as seldom as possible. */
export interface Rereadable {
  /** The bytes from `start` on, `length` of them or all; the content is opened again only to go back. */
  slice(start: number, length?: number): Content;
  /** Reads all of it and gives its size in bytes. */
  measure(): Promise<number>;
  /** What the content itself has thrown, which no other try at the destination mends. */
  readonly failure: { readonly error: unknown } | undefined;
  close(): Promise<void>;
}

interface Cursor {
  readonly pieces: AsyncIterator<Uint8Array>;
  position: number;
  /** What is left of a piece that a slice ended in; still valid, as no other has been asked for since. */
  rest?: Uint8Array;
}

/** Makes content rereadable; what comes out is verified against the digest, and the size where it is known. */
export function rereadable(
  content: Content,
  promised: { readonly digest: Digest; readonly size?: number; readonly signal?: AbortSignal },
): Rereadable {
  let current: Cursor | undefined;
  let failure: { readonly error: unknown } | undefined;

  const close = async (): Promise<void> => {
    const last = current;
    current = undefined;
    await last?.pieces.return?.();
  };

  /** Runs what touches the content, and remembers its error if it is still this cursor that matters. */
  const guarded = async <T>(isCurrent: () => boolean, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (isCurrent()) failure = { error };
      throw error;
    }
  };

  const take = async (cursor: Cursor, most: number): Promise<Uint8Array | undefined> => {
    if (promised.signal?.aborted) throw aborted(promised.signal);
    let piece = cursor.rest;
    if (!piece) {
      const step = await guarded(
        () => current === cursor,
        () => cursor.pieces.next(),
      );
      if (step.done === true) return undefined;
      piece = step.value;
    }
    const taken = piece.subarray(0, Math.min(piece.byteLength, most));
    cursor.rest = taken.byteLength < piece.byteLength ? piece.subarray(taken.byteLength) : undefined;
    cursor.position += taken.byteLength;
    return taken;
  };

  const seek = async (start: number): Promise<Cursor> => {
    if (current?.position === start) return current;
    await close();
    failure = undefined;
    const stream = await guarded(() => current === undefined, content);
    const cursor: Cursor = { pieces: verified(stream, promised)[Symbol.asyncIterator](), position: 0 };
    current = cursor;
    while (cursor.position < start && (await take(cursor, start - cursor.position))) {
      // what the other end has already
    }
    return cursor;
  };

  async function* read(start: number, length: number): AsyncGenerator<Uint8Array, void> {
    const cursor = await seek(start);
    const end = start + length;
    while (cursor.position < end) {
      const piece = await take(cursor, end - cursor.position);
      if (!piece) return;
      yield piece;
    }
  }

  return {
    // the last slice reads on to the end, so that the content's own end is seen
    slice:
      (start, length = Infinity) =>
      () =>
        Promise.resolve(read(start, start + length === promised.size ? Infinity : length)),
    async measure() {
      const cursor = await seek(0);
      while (await take(cursor, Infinity)) {
        // only the end is of interest
      }
      return cursor.position;
    },
    get failure() {
      return failure;
    },
    close,
  };
}
