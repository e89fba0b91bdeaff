import { open, type FileHandle } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { RegistryError } from "../../oci/error.ts";
import { syncDirectory } from "./directories.ts";

const version = 2;

/**
 * What was made by the first format has `pushed` of its manifests; of the rest nobody knows, and it stays NULL. Only pulls
 * count as made now: without one, what is pulled every day would pass for never pulled, and be deleted.
 */
const second = `
  CREATE TABLE pulls (
    manifest INTEGER PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE,
    pulled INTEGER NOT NULL
  ) STRICT;
  INSERT INTO pulls SELECT id, unixepoch() * 1000 FROM manifests;
  ALTER TABLE manifests ADD COLUMN created TEXT;
  ALTER TABLE manifests ADD COLUMN platform TEXT;
  ALTER TABLE tags ADD COLUMN moved INTEGER;
`;

const first = `
  CREATE TABLE repositories (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE blobs (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    pushed INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_by_digest ON blobs (digest);
  CREATE TABLE manifests (
    id INTEGER PRIMARY KEY,
    repository INTEGER NOT NULL REFERENCES repositories (id),
    digest TEXT NOT NULL,
    descriptor TEXT NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    pushed INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (repository, digest)
  ) STRICT;
  CREATE INDEX referrers ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;
  CREATE TABLE tags (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    pushed INTEGER NOT NULL,
    PRIMARY KEY (repository, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_digest ON tags (repository, digest);
`;

export interface MetadataFile {
  readonly database: DatabaseSync;
  /** Makes all that was committed durable. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the metadata of a directory for this process alone, making it where there is none. SQLite's lock, held as long
 * as it is open, goes with the process however that ends. Throws CONFLICT where another process has it, and INVALID
 * where a newer Gantry made it.
 */
export async function openMetadataFile(directory: string): Promise<MetadataFile> {
  const { DatabaseSync } = await import("node:sqlite");
  const path = `${directory}/metadata.db`;
  const database = new DatabaseSync(path);
  let log: FileHandle;
  try {
    lock(database, directory);
    migrate(database, directory);
    log = await open(`${path}-wal`, "r+");
    await syncDirectory(directory);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    database,
    // SQLite would sync in the middle of COMMIT and hold up every request meanwhile; the log alone has what COMMIT wrote.
    sync: () => log.datasync(),
    async close() {
      await log.close();
      database.close();
    },
  };
}

function lock(database: DatabaseSync, directory: string): void {
  try {
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
    );
    database.exec("BEGIN EXCLUSIVE; COMMIT");
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode !== 5) throw cause;
    throw new RegistryError("CONFLICT", `another process serves ${directory}`, {
      hint: "stop it first, or give this one a directory of its own",
      cause,
    });
  }
}

function migrate(database: DatabaseSync, directory: string): void {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found > version) {
    throw new RegistryError(
      "INVALID",
      `${directory} was written by a newer Gantry (format ${found}, this one knows ${version})`,
      {
        hint: "serve it with that version",
      },
    );
  }
  const steps = [first, second].slice(found).join("");
  // Written on every start, so that there is a log to sync.
  database.exec(`BEGIN; ${steps} PRAGMA user_version = ${version}; COMMIT`);
}
