import type { FileHandle } from "node:fs/promises";
import type { ByteStream } from "../../oci/stream.ts";

const stageSize = 256 * 1024;
const smallPiece = 64 * 1024;

/** Writes all bytes of a stream into an open file from `position` on, and says how many they were; none is kept past its turn. */
export async function writeFile(file: FileHandle, stream: ByteStream, position = 0): Promise<number> {
  let at = position;
  let stage: Buffer | undefined;
  let staged = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.byteLength;) {
      done += (await file.write(bytes, done, bytes.byteLength - done, at + done)).bytesWritten;
    }
    at += bytes.byteLength;
  };
  const flush = async (): Promise<void> => {
    if (stage && staged > 0) await write(stage.subarray(0, staged));
    staged = 0;
  };
  for await (const piece of stream) {
    if (staged + piece.byteLength > stageSize || piece.byteLength >= smallPiece) await flush();
    if (piece.byteLength >= smallPiece) {
      await write(piece);
    } else {
      stage ??= Buffer.allocUnsafeSlow(stageSize);
      stage.set(piece, staged);
      staged += piece.byteLength;
    }
  }
  await flush();
  return at - position;
}
