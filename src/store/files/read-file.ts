import type { FileHandle } from "node:fs/promises";
import type { ByteStream } from "../../oci/stream.ts";

const pieceSize = 1024 * 1024;
const free: Buffer[] = [];
const freeLimit = 16;

export interface ReadRange {
  readonly start: number;
  readonly size: number;
  /** Pieces are overwritten once the next is asked for: their buffers are used again. */
  readonly transient?: boolean;
}

/** A part of an open file, in pieces of up to 1 MiB, the next of them read while the last is being used; ends early where the file does. */
export async function* readFile(file: FileHandle, { start, size, transient = false }: ReadRange): ByteStream {
  const reused =
    transient && size > pieceSize ? [free.pop(), free.pop()].map((buffer) => buffer ?? fresh(pieceSize)) : [];
  const end = start + size;
  let turn = 0;
  const read = (at: number): Promise<{ bytesRead: number; buffer: Buffer }> => {
    const length = Math.min(pieceSize, end - at);
    return file.read(reused[turn++ % 2] ?? fresh(length), 0, length, at);
  };
  let pending: ReturnType<typeof read> | undefined;
  try {
    pending = size > 0 ? read(start) : undefined;
    for (let at = start; pending !== undefined;) {
      const { bytesRead, buffer } = await pending;
      at += bytesRead;
      pending = bytesRead > 0 && at < end ? read(at) : undefined;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await pending?.catch(() => {});
    if (free.length < freeLimit) free.push(...reused);
  }
}

function fresh(size: number): Buffer {
  return Buffer.allocUnsafeSlow(size);
}
