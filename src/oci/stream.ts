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

/**
 * The same bytes, checked: throws UNVERIFIED as soon as there are more than `size`, or at the end where size or digest
 * differ, so a reader that got to the end has the right bytes. `what` names the thing in the error.
 */
export async function* verified(
  stream: ByteStream,
  { digest, size, what = "blob" }: { readonly digest: Digest; readonly size?: number; readonly what?: string },
): AsyncGenerator<Uint8Array, void> {
  const state = digester(algorithmOf(digest));
  for await (const piece of stream) {
    state.update(piece);
    if (size !== undefined && state.size > size) throw wrongSize(what, digest, size, "more");
    yield piece;
  }
  if (size !== undefined && state.size !== size) throw wrongSize(what, digest, size, `${state.size}`);
  const actual = state.digest();
  if (actual !== digest) {
    throw new RegistryError("UNVERIFIED", `${what} ${digest} is corrupt: its ${state.size} bytes have the digest ${actual}`);
  }
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
