import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { RegistryError } from "../../oci/error.ts";
import { streamOf, type ByteStream, type Content } from "../../oci/stream.ts";
import { syncFolder } from "../files/directory.ts";
import { clearDrafts, draftPath } from "../../files/drafts.ts";
import { doing, fileError, rejectSpecial } from "../../files/file-error.ts";
import { withLock } from "../../files/lock.ts";
import { realPath } from "../../files/real-path.ts";
import { find, versionOf } from "./archive-file.ts";
import { readFile } from "../files/read-file.ts";
import { writeFile } from "../files/write-file.ts";
import { turns } from "../turns.ts";
import { nameless } from "./spool.ts";
import { paddingOf, tarEnd, tarHeader } from "./tar-format.ts";
import type { Member } from "./tar-scan.ts";

/** Where the bytes of a new archive go. */
interface Sink {
  readonly name: string;
  /** The file to read members back from, where it is one. */
  readonly file?: FileHandle;
  write(bytes: ByteStream, at: number): Promise<number>;
  /** Makes the archive visible: it is complete. */
  commit(): Promise<void>;
  /** Lets go of everything; without a commit before, nothing is left. */
  close(): Promise<void>;
}

/** An archive that is being written, a member at a time, in the order in which they come. */
export interface ArchiveWriter {
  readonly file?: FileHandle;
  readonly members: ReadonlyMap<string, Member>;
  /**
   * Writes a member when its turn has come, unless `isThere` says then that it is there; its content is only opened then.
   * Bytes that throw leave nothing, except in a stream, which is broken by it. Says whether it was written.
   */
  append(name: string, size: number | undefined, content: Content, isThere?: () => boolean): Promise<boolean>;
  /** Writes what comes last, ends the archive and makes it visible. */
  finish(last: readonly (readonly [name: string, bytes: Uint8Array])[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Begins an archive in a file, which takes the place of what is there when it is finished; where `before` says which version
 * of the file that has to be, another one is a CONFLICT.
 */
export async function writeArchiveFile(
  path: string,
  before?: { readonly version: string | undefined },
): Promise<ArchiveWriter> {
  await rejectSpecial(path, "write - for the path, and lead standard output there");
  const target = realPath(path);
  const [folder, name] = [dirname(target), basename(target)];
  await clearDrafts(folder, name);
  const draft = draftPath(folder, name);
  const file = await doing(`write ${path}`, () => create(draft, target));
  let closed: Promise<void> | undefined;
  let committed = false;
  return archiveWriter({
    name: path,
    file,
    write: (bytes, at) => writeFile(file, bytes, at),
    async commit() {
      await file.sync();
      // Of two that look at the same time, both would find what they began with, and the first to rename would be lost.
      await withLock(join(folder, `.${name}.lock`), { what: path }, async () => {
        if (before && versionOf(await find(path)) !== before.version) {
          throw new RegistryError("CONFLICT", `${path} was changed by somebody else meanwhile`, {
            retryable: true,
            hint: "run it again",
          });
        }
        await rename(draft, target);
      });
      committed = true;
      await syncFolder(folder);
    },
    close() {
      return (closed ??= file.close().then(() => (committed ? undefined : rm(draft, { force: true }))));
    },
  });
}

/** Opens a new file that may be read and written by those who may the one whose place it is to take. */
async function create(draft: string, target: string): Promise<FileHandle> {
  const old = await find(target);
  const mode = old && Number(old.mode & 0o777n);
  const file = await open(draft, "wx+", mode);
  // The process's mask takes away from the first; where the second is not allowed, fewer may read it, not more.
  if (mode !== undefined) await file.chmod(mode).catch(() => {});
  return file;
}

/** Begins an archive that goes to a stream, as fast as that takes it; the stream is not ended. */
export function writeArchiveStream(stream: Writable): ArchiveWriter {
  let failed: Error | undefined;
  stream.on("error", (error: Error) => void (failed ??= error));
  const send = (piece: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failed) reject(failed);
      else stream.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  return archiveWriter({
    name: "standard output",
    async write(bytes) {
      let size = 0;
      for await (const piece of bytes) {
        await send(piece);
        size += piece.byteLength;
      }
      return size;
    },
    commit: async () => {},
    close: async () => {},
  });
}

function archiveWriter(sink: Sink): ArchiveWriter {
  const members = new Map<string, Member>();
  const inTurn = turns();
  let end = 0;
  let broken: unknown;

  const write = async (name: string, size: number, bytes: ByteStream): Promise<void> => {
    const start = end;
    try {
      let at = start + (await sink.write(streamOf(tarHeader(name, size)), start));
      const member: Member = { start: at, size };
      const written = await sink.write(bytes, at);
      if (written !== size) throw new RegistryError("UNVERIFIED", `${name}: ${written} bytes came instead of ${size}`);
      at += size;
      end = at + (await sink.write(streamOf(Buffer.alloc(paddingOf(size))), at));
      members.set(name, member);
    } catch (error) {
      const cause = fileError(error, `write ${sink.name}`);
      if (!sink.file) broken = cause;
      throw cause;
    }
  };

  return {
    ...(sink.file && { file: sink.file }),
    members,
    append: (name, size, content, isThere) =>
      inTurn("", async () => {
        if (isThere?.()) return false;
        if (broken !== undefined) throw broken;
        const bytes = await content();
        if (size !== undefined) await write(name, size, bytes);
        else await spooled(bytes, (known, plain) => write(name, known, plain));
        return true;
      }),
    finish: (last) =>
      inTurn("", async () => {
        if (broken !== undefined) throw broken;
        for (const [name, bytes] of last) await write(name, bytes.byteLength, streamOf(bytes));
        await doing(`write ${sink.name}`, async () => {
          await sink.write(streamOf(tarEnd), end);
          await sink.file?.truncate(end + tarEnd.length);
          await sink.commit();
        });
      }),
    close: () => sink.close(),
  };
}

/** A member's size comes before its bytes: those of unknown size wait in a temporary file. */
async function spooled(bytes: ByteStream, write: (size: number, bytes: ByteStream) => Promise<void>): Promise<void> {
  const file = await nameless();
  try {
    const size = await doing("write a temporary file", () => writeFile(file, bytes));
    await write(size, readFile(file, { start: 0, size }));
  } finally {
    await file.close();
  }
}
