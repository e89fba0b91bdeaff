import { constants, createReadStream, createWriteStream, type Stats } from "node:fs";
import { access, chmod, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { clearDrafts, draftPath } from "../files/drafts.ts";
import { doing, isErrno } from "../files/file-error.ts";
import { realPath } from "../files/real-path.ts";
import { digester, RegistryError, type ByteStream, type Content, type Digest } from "../index.ts";

/** A file that is to be stored: it was read once for its digest, and is opened again to be sent. */
export interface DigestedFile {
  readonly digest: Digest;
  readonly size: number;
  readonly content: Content;
}

/** Reads a file for its digest and size. */
export async function digestFile(path: string, signal: AbortSignal): Promise<DigestedFile> {
  const state = digester();
  await doing(`read ${path}`, async () => {
    if (!(await stat(path)).isFile()) throw new RegistryError("INVALID", `${path} is not a file`);
    for await (const piece of createReadStream(path, { signal })) state.update(piece as Buffer);
  });
  return { size: state.size, digest: state.digest(), content: async () => createReadStream(path, { signal }) };
}

/** Keeps a stream in a temporary file while `work` uses it: what cannot be read twice has to be, digest first. */
export async function withSpooled<T>(
  stream: Readable,
  signal: AbortSignal,
  work: (file: DigestedFile) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-"));
  try {
    const path = join(folder, "stdin");
    await pipeline(stream, createWriteStream(path), { signal });
    return await work(await digestFile(path, signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a text to the file that an option names. */
export async function writeText(path: string, text: string): Promise<void> {
  await doing(`write ${path}`, () => writeFile(path, text));
}

/** Throws where a file that is written at the end cannot be, so that this is known before anything is done. */
export async function expectWritable(path: string): Promise<void> {
  await doing(`write ${path}`, async () => {
    const found = await find(path);
    if (found?.isDirectory()) throw new RegistryError("INVALID", `cannot write ${path}: it is a directory`);
    await access(found ? path : dirname(realPath(path)), constants.W_OK);
  });
}

/**
 * Writes a stream to a file that appears under its name, or where a link under that leads, when all of it is there; to a device
 * or a pipe, as it comes.
 */
export async function writeWhole(path: string, stream: ByteStream, signal: AbortSignal): Promise<void> {
  await doing(`write ${path}`, async () => {
    if ((await find(path))?.isFile() ?? true) await replace(realPath(path), stream, signal);
    else await pipeline(stream, createWriteStream(path), { signal });
  });
}

/** Those who may read and write what was there may do so still. */
async function replace(path: string, stream: ByteStream, signal: AbortSignal): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  await clearDrafts(folder, name);
  const unfinished = draftPath(folder, name);
  const old = await find(path);
  const mode = old && old.mode & 0o777;
  try {
    await pipeline(stream, createWriteStream(unfinished, { mode }), { signal });
    // The process's mask took away from it; where this is not allowed, fewer may read it, not more.
    if (mode !== undefined) await chmod(unfinished, mode).catch(() => {});
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** What is at a path; undefined where there is nothing yet. */
export async function find(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}
