import { open, type FileHandle } from "node:fs/promises";
import { RegistryError } from "../../oci/error.ts";
import type { ByteStream } from "../../oci/stream.ts";

const idle = new Map<number, Buffer[]>();
const idleLimit = 32;
let reading = 0;

/**
 * The bytes of a file from `start` to `end`, read ahead into buffers that are used over and over: with `transient` a
 * piece is overwritten once the next is asked for. Nothing is opened before the first piece is. Throws CORRUPT where
 * the file ends early.
 */
export async function* readPieces(
  path: string,
  start: number,
  end: number,
  transient: boolean,
): ByteStream & AsyncGenerator<Uint8Array, void> {
  reading++;
  const size = Math.min(bufferSize(), end - start);
  let current = take(size);
  let next = take(size);
  let file: FileHandle | undefined;
  let ahead: Promise<number> | undefined;
  try {
    file = await open(path, "r");
    ahead = readInto(file, current, start, end);
    for (let at = start; at < end;) {
      const bytes = await ahead;
      if (bytes === 0) throw new RegistryError("CORRUPT", `${path} ends after ${at} bytes`);
      at += bytes;
      const piece = current.subarray(0, bytes);
      [current, next] = [next, current];
      ahead = readInto(file, current, at, end);
      yield transient ? piece : Uint8Array.from(piece);
    }
    // Only here have all pieces been let go of: of one that was given up, a write may still be under way.
    give(current);
    give(next);
  } finally {
    await ahead?.catch(() => {});
    await file?.close();
    reading--;
  }
}

async function readInto(file: FileHandle, buffer: Buffer, position: number, end: number): Promise<number> {
  const length = Math.min(buffer.byteLength, end - position);
  return length === 0 ? 0 : (await file.read(buffer, 0, length, position)).bytesRead;
}

/** Large pieces are fast, and each reader holds two: the more readers, the smaller. */
function bufferSize(): number {
  return reading <= 16 ? 1024 * 1024 : reading <= 64 ? 256 * 1024 : 64 * 1024;
}

function take(size: number): Buffer {
  return idle.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
}

function give(buffer: Buffer): void {
  const kept = idle.get(buffer.byteLength) ?? [];
  const pooled = [1024 * 1024, 256 * 1024, 64 * 1024].includes(buffer.byteLength);
  if (pooled && kept.length < idleLimit) idle.set(buffer.byteLength, [...kept, buffer]);
}
