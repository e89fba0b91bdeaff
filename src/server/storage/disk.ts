import { existsSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { RegistryError } from "../../oci/error.ts";
import { makeDirectory, syncDirectory } from "./directories.ts";
import { diskBlobs } from "./disk-blobs.ts";
import { openMetadataFile } from "./schema.ts";
import { sqliteMetadata } from "./sqlite-metadata.ts";
import type { Storage, StorageOptions } from "./storage.ts";

/**
 * Keeps everything in one directory, made where it is absent: blobs as files under their digest, the rest in SQLite.
 * What it has acknowledged survives a crash of the process and of the machine. One process at a time has it open.
 */
export function diskStorage(directory: string, { now = Date.now }: StorageOptions = {}): Storage {
  return {
    async open() {
      const root = resolve(directory);
      await prepare(root);
      const file = await openMetadataFile(root);
      const metadata = sqliteMetadata(file, now);
      const blobs = diskBlobs(root);
      return {
        blobs,
        metadata,
        async close() {
          await metadata.settled();
          await blobs.close();
          await file.close();
        },
      };
    },
  };
}

async function prepare(directory: string): Promise<void> {
  try {
    await makeDirectory(`${directory}/uploads`);
    await makeFolders(`${directory}/blobs/sha256`);
  } catch (cause) {
    throw new RegistryError("INVALID", `${directory} cannot hold a registry: ${(cause as Error).message}`, {
      hint: "choose a directory that this user can write to",
      cause,
    });
  }
}

/** All the folders that blobs go to, made once and with one sync, so that no push has to. */
async function makeFolders(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeDirectory(path);
  for (let i = 0; i < 256; i++) mkdirSync(`${path}/${i.toString(16).padStart(2, "0")}`, { recursive: true });
  await syncDirectory(path);
}
