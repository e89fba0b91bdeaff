import { open, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { makeDirectories } from "../../files/make-directories.ts";

/** Makes the names in a directory durable. Windows keeps them without being asked, and cannot be asked. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory and those above it, durably. */
export async function makeDirectory(path: string): Promise<void> {
  const full = resolve(path);
  const first = await makeDirectories(full);
  if (first === undefined) return;
  const above = dirname(first);
  let made = full;
  do {
    made = dirname(made);
    await syncDirectory(made);
  } while (made !== above && made !== dirname(made));
}

export interface DirectorySyncs {
  /** Makes the names that are in a directory now durable. */
  sync(path: string): Promise<void>;
  close(): Promise<void>;
}

interface Kept {
  readonly handle: Promise<FileHandle>;
  running?: Promise<void> | undefined;
  next?: Promise<void> | undefined;
}

/**
 * Syncs of directories that are synced over and over: they are kept open, and those who come while a sync is under way
 * share the next one, as one that starts after a name was made has it.
 */
export function directorySyncs(): DirectorySyncs {
  const kept = new Map<string, Kept>();

  function keep(path: string): Kept {
    const handle = open(path, "r");
    const directory: Kept = { handle };
    kept.set(path, directory);
    handle.catch(() => kept.delete(path));
    return directory;
  }

  function start(directory: Kept): Promise<void> {
    directory.next = undefined;
    const running = directory.handle
      .then((handle) => handle.sync())
      .finally(() => {
        if (directory.running === running) directory.running = undefined;
      });
    directory.running = running;
    return running;
  }

  return {
    async sync(path) {
      if (process.platform === "win32") return;
      const directory = kept.get(path) ?? keep(path);
      if (!directory.running) return start(directory);
      directory.next ??= directory.running.catch(() => {}).then(() => start(directory));
      await directory.next;
    },
    async close() {
      for (const { handle } of kept.values()) await (await handle).close();
    },
  };
}
