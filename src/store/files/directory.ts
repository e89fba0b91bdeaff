import { constants } from "node:fs";
import { open, readdir, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { RegistryError } from "../../oci/error.ts";
import { collect, streamOf, type ByteStream } from "../../oci/stream.ts";
import { clearDrafts, draftPath } from "../../files/drafts.ts";
import { doing, isErrno } from "../../files/file-error.ts";
import { makeDirectories } from "../../files/make-directories.ts";
import { readFile } from "./read-file.ts";
import { writeFile } from "./write-file.ts";

/** A directory that files are read from and atomically put into; nothing outside it is ever touched, whatever links it holds. */
export interface Directory {
  readonly path: string;
  /** A file's size; undefined where it is not there. */
  size(name: string): Promise<number | undefined>;
  /** Tells one content of a file from the next; undefined where it is not there, or so fresh that the next could look the same. */
  version(name: string): Promise<string | undefined>;
  /** A small file's bytes; undefined where it is not there, TOO_LARGE past `limit`. */
  read(name: string, limit: number): Promise<Uint8Array | undefined>;
  /** A file's bytes; it is opened when the first piece is asked for. Throws what `absent` makes where it is not there then. */
  stream(name: string, options: { readonly transient?: boolean; readonly absent: () => Error }): ByteStream;
  /** Puts a file under its name when it is complete and on disk, in place of what was there; `bytes` that throw leave nothing. */
  put(name: string, bytes: ByteStream): Promise<void>;
  /** Removes a file; one that is not there is fine. */
  remove(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Makes the names of all that was put so far durable. */
  sync(): Promise<void>;
}

/** Longer than any file system's tick: two changes in one would have the same time. */
const settledAfterMs = 2000;

/** Opens nothing yet, and creates the directory when something is put into it. */
export function directory(location: string): Directory {
  const path = wholePath(location);
  const unsynced = new Set<string>();
  const checked = new Set<string>();
  let created: Promise<void> | undefined;

  const locate = async (name: string): Promise<string | undefined> => {
    try {
      const [real, base] = [await realpath(join(path, name)), await realpath(path)];
      if (real !== base && !real.startsWith(base.endsWith(sep) ? base : base + sep))
        throw outside(join(path, name), path);
      return real;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  };
  const use = async <T>(name: string, act: (real: string) => Promise<T>): Promise<T | undefined> =>
    doing(`read ${join(path, name)}`, async () => {
      const real = await locate(name);
      return real === undefined ? undefined : await act(real);
    });
  const create = async (): Promise<void> => {
    await makeDirectories(path);
    await clearDrafts(path);
    unsynced.add(dirname(path));
  };
  const prepare = async (folder: string): Promise<void> => {
    try {
      await (created ??= create());
    } catch (error) {
      created = undefined;
      throw error;
    }
    if (checked.has(folder)) return;
    await makeDirectories(join(path, folder));
    await locate(folder);
    checked.add(folder);
    unsynced.add(dirname(join(path, folder)));
  };

  return {
    path,
    size: (name) => use(name, async (real) => sizeOf(await stat(real), join(path, name))),
    version: (name) =>
      use(name, async (real) => {
        const { ino, size, mtimeNs, mtimeMs } = await stat(real, { bigint: true });
        return Date.now() - Number(mtimeMs) > settledAfterMs ? `${ino} ${size} ${mtimeNs}` : undefined;
      }),
    read: (name, limit) =>
      use(name, async (real) => {
        const file = await openRegular(real);
        try {
          const size = sizeOf(await file.stat(), join(path, name));
          return await collect(readFile(file, { start: 0, size }), limit, join(path, name));
        } finally {
          await file.close();
        }
      }),
    async *stream(name, { transient, absent }) {
      const file = await use(name, openRegular);
      if (!file) throw absent();
      try {
        const size = sizeOf(await file.stat(), join(path, name));
        yield* readFile(file, { start: 0, size, transient });
      } finally {
        await file.close();
      }
    },
    put: (name, bytes) =>
      doing(`write ${join(path, name)}`, async () => {
        const target = join(path, name);
        await prepare(dirname(name));
        const draft = draftPath(path);
        try {
          const file = await open(draft, "wx");
          try {
            await writeFile(file, bytes);
            await file.sync();
          } finally {
            await file.close();
          }
          await rename(draft, target);
        } catch (error) {
          await rm(draft, { force: true });
          throw error;
        }
        unsynced.add(dirname(target));
      }),
    remove: (name) => doing(`remove ${join(path, name)}`, () => rm(join(path, name), { force: true })),
    list: () =>
      doing(`read ${path}`, async () => {
        try {
          return await readdir(path);
        } catch (error) {
          if (isErrno(error, "ENOENT")) return [];
          throw error;
        }
      }),
    sync: () =>
      doing(`write ${path}`, async () => {
        const folders = [...unsynced];
        unsynced.clear();
        await Promise.all(folders.map(syncFolder));
      }),
  };
}

/** Bytes in memory, as something to put. */
export const bytesOf: (bytes: Uint8Array | string) => ByteStream = (bytes) =>
  streamOf(typeof bytes === "string" ? Buffer.from(bytes) : bytes);

/** Makes the names in a folder durable, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Without waiting for a writer where a pipe has been put in a file's place. */
function openRegular(real: string): Promise<FileHandle> {
  return open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
}

function sizeOf(found: { isFile(): boolean; readonly size: number }, file: string): number {
  if (!found.isFile()) throw new RegistryError("CORRUPT", `${file} is no regular file`);
  return found.size;
}

/** Node puts U+FFFD where bytes of the working directory are no UTF-8: that would be another directory. */
function wholePath(location: string): string {
  const path = resolve(location);
  if (location.includes("\u{FFFD}") || !path.includes("\u{FFFD}")) return path;
  throw new RegistryError("INVALID", `${location} is below a directory whose name is not UTF-8`, {
    hint: "rename that directory, or work in another",
  });
}

function outside(file: string, path: string): RegistryError {
  return new RegistryError("CORRUPT", `${file} is a symbolic link that leads out of ${path}`, {
    hint: "Gantry does not follow links out of an image's directory: put the file itself there",
  });
}
