import { statSync } from "node:fs";
import { open, readdir, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { algorithmOf, digester, hexOf, type Digest } from "../../oci/digest.ts";
import { appender } from "./disk-upload.ts";
import { directorySyncs, makeDirectory } from "./directories.ts";
import { lostUpload, storageFault } from "./fault.ts";
import { writeAll } from "./files.ts";
import { lru } from "./lru.ts";
import { readPieces } from "./read-pieces.ts";
import type { BlobStorage, UploadFile } from "./storage.ts";

/** Blobs up to this size are read in one go, and those read last are kept in memory. */
const smallBlob = 256 * 1024;
const cacheBytes = 32 * 1024 * 1024;

/** Blobs as files under `blobs/<algorithm>/<two digits>/<hex>`, uploads under `uploads/`. */
export function diskBlobs(root: string): BlobStorage & { close(): Promise<void> } {
  const cache = lru<Uint8Array>(cacheBytes, (bytes) => bytes.byteLength + 200);
  const directories = directorySyncs();
  let written = 0;
  let published = 0;

  const folderOf = (digest: Digest): string => `${root}/blobs/${algorithmOf(digest)}/${hexOf(digest).slice(0, 2)}`;
  const pathOf = (digest: Digest): string => `${folderOf(digest)}/${hexOf(digest)}`;
  const uploadPath = (name: string): string => `${root}/uploads/${name}`;

  /** From here on the blob is there, and stays through a power cut; over whatever was there. */
  async function publish(file: FileHandle, path: string, digest: Digest): Promise<void> {
    try {
      await file.datasync();
      await move(path, digest);
      cache.delete(digest);
      published++;
      await directories.sync(folderOf(digest));
    } catch (error) {
      throw storageFault(error);
    }
  }

  async function move(path: string, digest: Digest): Promise<void> {
    try {
      await rename(path, pathOf(digest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await makeDirectory(folderOf(digest));
      await rename(path, pathOf(digest));
    }
  }

  async function openUpload(name: string, size: number): Promise<UploadFile> {
    const path = uploadPath(name);
    const file = await open(path, size === 0 ? "w" : "r+").catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? lostUpload() : storageFault(error);
    });
    if ((await file.stat()).size !== size) {
      await file.close();
      throw lostUpload();
    }
    const pieces = appender(file, size);
    return {
      write: (piece) => pieces.append(piece),
      async close() {
        try {
          await pieces.finish();
        } finally {
          await file.close();
        }
      },
      async commit(digest) {
        try {
          await pieces.finish();
          await publish(file, path, digest);
        } finally {
          await file.close();
        }
      },
    };
  }

  return {
    size: (digest) => statSync(pathOf(digest), { throwIfNoEntry: false })?.size,
    read(digest, size, { range = { start: 0, end: size }, transient = false } = {}) {
      const known = cache.get(digest);
      if (known?.byteLength === size) return known.subarray(range.start, range.end);
      const path = pathOf(digest);
      if (statSync(path, { throwIfNoEntry: false })?.size !== size) return undefined;
      if (size > smallBlob) return readPieces(path, range.start, range.end, transient);
      const before = published;
      return readFile(path).then((bytes) => {
        if (bytes.byteLength !== size) return undefined;
        // What was read before something was published may be what it replaced.
        if (published === before) cache.set(digest, bytes);
        return bytes.subarray(range.start, range.end);
      });
    },
    async write(digest, pieces) {
      const path = `${uploadPath(hexOf(digest))}.${written++}`;
      const file = await open(path, "w").catch((error: unknown) => {
        throw storageFault(error);
      });
      try {
        await writeAll(file, pieces, 0);
        await publish(file, path, digest);
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        await file.close();
      }
    },
    openUpload,
    close: () => directories.close(),
    async uploadSize(name) {
      return (await stat(uploadPath(name)).catch(() => undefined))?.size;
    },
    async digestUpload(name, algorithm) {
      const state = digester(algorithm);
      const path = uploadPath(name);
      for await (const piece of readPieces(path, 0, (await stat(path)).size, true)) state.update(piece);
      return state;
    },
    removeUpload: (name) => rm(uploadPath(name), { force: true }),
    async sweepUploads(before) {
      for (const name of await readdir(`${root}/uploads`)) {
        const path = uploadPath(name);
        const found = await stat(path).catch(() => undefined);
        if (found && found.mtimeMs < before) await rm(path, { force: true });
      }
    },
  };
}
