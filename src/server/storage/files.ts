import { type FileHandle } from "node:fs/promises";
import { storageFault } from "./fault.ts";

/** Writes all the pieces at a place in a file; throws UNAVAILABLE (507) where the disk is full. */
export async function writeAll(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let left = pieces;
  let at = position;
  try {
    while (left.length > 0) {
      const { bytesWritten } = await file.writev(left as Uint8Array[], at);
      at += bytesWritten;
      left = after(left, bytesWritten);
    }
  } catch (error) {
    throw storageFault(error);
  }
}

/** What is left of pieces once some bytes of them are written: the kernel may take fewer than it is given. */
function after(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  const first = pieces.findIndex((piece) => {
    if (skip < piece.byteLength) return true;
    skip -= piece.byteLength;
    return false;
  });
  return first < 0 ? [] : [pieces[first]!.subarray(skip), ...pieces.slice(first + 1)];
}
