import { createReadStream, type BigIntStats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { RegistryError } from "../../oci/error.ts";
import { collect, type ByteStream } from "../../oci/stream.ts";
import { abortable } from "../../oci/abort.ts";
import { doing, isErrno } from "../../files/file-error.ts";
import { readFile } from "../files/read-file.ts";
import { compressionOf, magicSize, spool, type Compression, type Spooled } from "./spool.ts";
import { scanTar, type Member } from "./tar-scan.ts";

/** The files in a tar archive, in any order; links are followed within it. */
export interface ArchiveFile {
  /** How the whole of it was compressed, where it was. */
  readonly compression?: Compression;
  names(): readonly string[];
  /** A file's size; undefined where it is not there. */
  size(name: string): number | undefined;
  /** A small file's bytes; undefined where it is not there, TOO_LARGE past `limit`. */
  read(name: string, limit: number): Promise<Uint8Array | undefined>;
  stream(name: string, options?: { readonly transient?: boolean }): ByteStream;
  close(): Promise<void>;
}

/** What is at a path, if anything. */
export async function find(path: string): Promise<BigIntStats | undefined> {
  return doing(`read ${path}`, async () => {
    try {
      return await stat(path, { bigint: true });
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  });
}

/** Tells a file from what may take its place. */
export function versionOf(found: BigIntStats | undefined): string | undefined {
  return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`;
}

/**
 * Opens an archive: a file by a pass over its headers; a compressed one, a pipe or a given stream by way of a temporary
 * file. Undefined where there is no such file.
 */
export async function openArchive(
  path: string,
  stdin: ByteStream | undefined,
  signal?: AbortSignal,
): Promise<ArchiveFile | undefined> {
  if (stdin)
    return archiveOf(
      await spool(abortable(stdin, signal), "the archive on standard input", { signal }),
      "the archive on standard input",
    );
  return doing(`read ${path}`, async () => {
    const found = await find(path);
    if (!found) return undefined;
    if (found.isDirectory()) {
      throw new RegistryError("INVALID", `${path} is a directory, not an archive`, {
        hint: `if it is an image layout, write oci:${path}`,
      });
    }
    if (!found.isFile()) return archiveOf(await spoolFile(path, signal), path);
    const file = await open(path, "r");
    const plain = await plainFile(path, file, Number(found.size));
    return archiveOf(plain ?? (await spoolFile(path, signal)), path);
  });
}

/** The file itself where it is not compressed; else it is closed. */
async function plainFile(path: string, file: FileHandle, size: number): Promise<Spooled | undefined> {
  try {
    const start = await collect(readFile(file, { start: 0, size: Math.min(size, magicSize) }), magicSize, path);
    if (!compressionOf(start)) return { file, size };
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

async function spoolFile(path: string, signal: AbortSignal | undefined): Promise<Spooled> {
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 });
  return spool(abortable(stream as AsyncIterable<Uint8Array>, signal), path, { signal });
}

async function archiveOf({ file, size, compression }: Spooled, what: string): Promise<ArchiveFile> {
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= file.close());
  try {
    const files = archiveFile(file, await scanTar(file, size, what), what);
    return { ...files, ...(compression && { compression }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The files of an archive that is open, by its members. */
export function archiveFile(
  file: FileHandle,
  members: ReadonlyMap<string, Member>,
  what: string,
): Omit<ArchiveFile, "close" | "compression"> {
  const memberAt = (name: string): Member | undefined => {
    const seen = new Set<string>();
    for (let at = posix.normalize(name); !seen.has(at);) {
      const member = members.get(at);
      if (member?.link === undefined) return member;
      seen.add(at);
      at = member.link;
    }
    throw new RegistryError("CORRUPT", `${what} is corrupt: the links of ${name} lead in a circle`);
  };
  const stream: ArchiveFile["stream"] = async function* (name, options = {}) {
    const member = memberAt(name);
    if (!member) throw new RegistryError("CORRUPT", `${what} has no ${name}`);
    yield* readFile(file, { start: member.start, size: member.size, ...options });
  };
  return {
    names: () => [...members.keys()],
    size: (name) => memberAt(name)?.size,
    read: async (name, limit) => (memberAt(name) ? collect(stream(name), limit, `${name} in ${what}`) : undefined),
    stream,
  };
}
