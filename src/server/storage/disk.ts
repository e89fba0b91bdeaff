import { RegistryError } from "../../oci/error.ts";
import { makeDirectory } from "./directories.ts";
import { diskBlobs } from "./disk-blobs.ts";
import { openMetadataFile } from "./schema.ts";
import { sqliteMetadata } from "./sqlite-metadata.ts";
import type { Storage } from "./storage.ts";

export interface DiskOptions {
  /** Milliseconds of the epoch. */
  readonly now?: () => number;
}

/**
 * Keeps everything in one directory, made where it is absent: blobs as files under their digest, the rest in SQLite.
 * What it has acknowledged survives a crash of the process and of the machine. One process at a time has it open.
 */
export function diskStorage(directory: string, { now = Date.now }: DiskOptions = {}): Storage {
  return {
    async open() {
      await prepare(directory);
      const file = await openMetadataFile(directory);
      const metadata = sqliteMetadata(file, now);
      const blobs = diskBlobs(directory);
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
    await makeDirectory(directory);
    await makeDirectory(`${directory}/uploads`);
    await makeDirectory(`${directory}/blobs`);
  } catch (cause) {
    throw new RegistryError("INVALID", `${directory} cannot hold a registry: ${(cause as Error).message}`, {
      hint: "choose a directory that this user can write to",
      cause,
    });
  }
}
