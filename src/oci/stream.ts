import { algorithmOf, digester, type Digest } from "./digest.ts";
import { RegistryError } from "./error.ts";

/** Bytes that come in pieces: Node's and the web's readable streams, generators and arrays all fit. */
export type ByteStream = AsyncIterable<Uint8Array>;

/**
 * Opens bytes: never called when the receiver has them already, called again on a retry. A piece belongs to the
 * receiver only until it asks for the next one (large blobs travel in reused buffers): copy what you keep.
 */
export type Content = () => Promise<ByteStream>;

/** Content that is already in memory. */
export function contentOf(bytes: Uint8Array): Content {
  return () => Promise.resolve(streamOf(bytes));
}

export async function* streamOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

/** What a stream has been promised to be. */
export interface Promised {
  readonly digest: Digest;
  readonly size?: number;
  /** Names the thing in the error. */
  readonly what?: string;
}

const promises = new WeakMap<ByteStream, Promised>();

/**
 * The same bytes, checked: throws UNVERIFIED as soon as there are more than `size`, and where size or digest differ; the
 * piece that would complete `size` is only handed out when the digest is right. A stream that is checked for the same
 * promise already comes back as it is: bytes that pass through several stores are hashed once.
 */
export function verified(stream: ByteStream, promised: Promised): ByteStream {
  const known = promises.get(stream);
  if (known?.digest === promised.digest && (promised.size === undefined || promised.size === known.size)) return stream;
  const checked: ByteStream = { [Symbol.asyncIterator]: () => verifying(stream[Symbol.asyncIterator](), promised) };
  promises.set(checked, promised);
  return checked;
}

/** Says that a wrapper hands out the very bytes of a stream, so that what is verified of those counts for it too. */
export function sameBytes(wrapper: ByteStream, stream: ByteStream): ByteStream {
  const known = promises.get(stream);
  if (known) promises.set(wrapper, known);
  return wrapper;
}

/** What is done with a stream's bytes as they pass, and what is thrown in place of its errors. */
export interface Tap {
  piece?(piece: Uint8Array): void | Promise<void>;
  failure?(error: unknown): unknown;
}

/** The same bytes, in the same pieces, past a tap; what was verified of them still counts. */
export function tapped(stream: ByteStream, tap: Tap): ByteStream {
  return sameBytes({ [Symbol.asyncIterator]: () => tapping(stream[Symbol.asyncIterator](), tap) }, stream);
}

/** By hand, as `verifying`. */
function tapping(source: AsyncIterator<Uint8Array>, tap: Tap): AsyncIterator<Uint8Array> {
  const take = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      return await source.next();
    } catch (error) {
      throw tap.failure ? tap.failure(error) : error;
    }
  };
  return {
    async next() {
      const step = await take();
      if (step.done === true || !tap.piece) return step;
      try {
        await tap.piece(step.value);
      } catch (error) {
        await source.return?.();
        throw error;
      }
      return step;
    },
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** By hand, not a generator: a generator that is given up before its first piece would not give up its source. */
function verifying(
  source: AsyncIterator<Uint8Array>,
  { digest, size, what = "blob" }: Promised,
): AsyncIterator<Uint8Array> {
  const state = digester(algorithmOf(digest));
  let complete = false;
  const finish = (): void => {
    if (complete) return;
    if (size !== undefined && state.size !== size) throw wrongSize(what, digest, size, `${state.size}`);
    const bytes = state.size;
    const actual = state.digest();
    if (actual !== digest) {
      throw new RegistryError(
        "UNVERIFIED",
        `${what} ${digest} is corrupt: its ${bytes} bytes have the digest ${actual}`,
      );
    }
    complete = true;
  };
  const check = (piece: Uint8Array): void => {
    if (size !== undefined && state.size + piece.byteLength > size) throw wrongSize(what, digest, size, "more");
    if (complete) return;
    state.update(piece);
    if (state.size === size) finish();
  };
  return {
    async next() {
      const step = await source.next();
      try {
        if (step.done === true) finish();
        else check(step.value);
      } catch (error) {
        if (step.done !== true) await source.return?.();
        throw error;
      }
      return step;
    },
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}

function wrongSize(what: string, digest: Digest, size: number, got: string): RegistryError {
  return new RegistryError("UNVERIFIED", `${what} ${digest} is corrupt: ${got} bytes came instead of ${size}`);
}

/** All the bytes in one piece, copied; throws TOO_LARGE past `limit` bytes. */
export async function collect(stream: ByteStream, limit: number, what = "content"): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.byteLength;
    if (size > limit) throw new RegistryError("TOO_LARGE", `${what} is larger than the ${limit} bytes allowed for it`);
    pieces.push(Uint8Array.from(piece));
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
}
