import { randomBytes } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { ByteStream } from "../../oci/stream.ts";
import { doing } from "../../files/file-error.ts";
import { writeFile } from "../files/write-file.ts";

/** How bytes are compressed, told by how they start. */
export type Compression = "gzip" | "zstd" | "bzip2" | "xz";

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** How many first bytes `compressionOf` wants to see. */
export const magicSize = 6;

/** What the first bytes of a file say of its compression. */
export function compressionOf(start: Uint8Array): Compression | undefined {
  return magics.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0];
}

export interface Spooled {
  readonly file: FileHandle;
  readonly size: number;
  /** How what it was made of was compressed. */
  readonly compression?: Compression;
}

/** A temporary file without a name: it is gone when it is closed, or when the process ends, however that ends. */
export async function nameless(folder: string = tmpdir()): Promise<FileHandle> {
  const path = join(folder, `gantry-${process.pid}-${randomBytes(8).toString("hex")}`);
  return doing(`write a temporary file in ${folder}`, async () => {
    const file = await open(path, "wx+", 0o600);
    try {
      await rm(path);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  });
}

/** What unpacks to more than `size` bytes and to more than `ratio` times the bytes that came in is taken for a decompression bomb. */
export interface BombLimits {
  readonly size: number;
  readonly ratio: number;
}

const usualLimits: BombLimits = { size: 1024 ** 3, ratio: 200 };

/** Brings a stream into a nameless temporary file, decompressed where it is gzip or zstd; `what` names it in errors. */
export async function spool(
  stream: ByteStream,
  what: string,
  { signal, limits = usualLimits }: { readonly signal?: AbortSignal; readonly limits?: BombLimits } = {},
): Promise<Spooled> {
  const file = await nameless();
  const source = stream[Symbol.asyncIterator]();
  try {
    let size = 0;
    const { start, rest } = await peek(source, magicSize);
    const compression = compressionOf(start);
    const counted = counting(rest);
    await doing(`write a temporary file for ${what}`, async () => {
      if (!compression) {
        size = await writeFile(file, counted.stream);
        return;
      }
      await pipeline(
        Readable.from(counted.stream),
        decompressor(compression, what),
        async (plain) => {
          size = await writeFile(
            file,
            capped(plain as AsyncIterable<Buffer>, () => counted.size(), what, limits),
          );
        },
        { signal },
      );
    });
    return { file, size, ...(compression && { compression }) };
  } catch (error) {
    await file.close();
    await source.return?.();
    throw decompressionError(error, what);
  }
}

function decompressor(
  compression: Compression,
  what: string,
): ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress> {
  if (compression === "gzip") return createGunzip();
  if (compression === "zstd") return createZstdDecompress();
  throw new RegistryError("UNSUPPORTED", `${what} is compressed with ${compression}`, {
    hint: `decompress it first: Gantry reads tar archives plain, with gzip and with zstd`,
  });
}

async function* capped(
  stream: AsyncIterable<Uint8Array>,
  read: () => number,
  what: string,
  limits: BombLimits,
): ByteStream {
  let size = 0;
  for await (const piece of stream) {
    size += piece.byteLength;
    if (size > limits.size && size > limits.ratio * read()) {
      throw new RegistryError("TOO_LARGE", `${what} unpacks to more than ${limits.ratio} times its size`, {
        hint: "if this is no decompression bomb, decompress it first and use the plain tar",
      });
    }
    yield piece;
  }
}

function decompressionError(error: unknown, what: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (isRegistryError(error) || !/^(?:Z_|ZSTD_|ERR_)/.test(code)) return error;
  return new RegistryError("CORRUPT", `${what} cannot be decompressed: ${(error as Error).message}`, { cause: error });
}

/** The first bytes of a stream, at least `count` where it has them, and the whole stream. */
async function peek(
  source: AsyncIterator<Uint8Array>,
  count: number,
): Promise<{ start: Uint8Array; rest: ByteStream }> {
  let start: Uint8Array = new Uint8Array();
  while (start.byteLength < count) {
    const { value, done } = await source.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const rest = async function* (): ByteStream {
    try {
      yield start;
      for (let step = await source.next(); !step.done; step = await source.next()) yield step.value;
    } finally {
      await source.return?.();
    }
  };
  return { start, rest: rest() };
}

function counting(stream: ByteStream): { readonly stream: ByteStream; size(): number } {
  let size = 0;
  const counted = async function* (): ByteStream {
    for await (const piece of stream) {
      size += piece.byteLength;
      yield piece;
    }
  };
  return { stream: counted(), size: () => size };
}
