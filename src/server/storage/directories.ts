import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

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
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  const above = dirname(first);
  for (let made = dirname(path); made.length >= above.length; made = dirname(made)) await syncDirectory(made);
}

/**
 * A sync of directories that those who come while one is under way share: a sync that starts after a name was made has it.
 */
export function sharedSync(): (path: string) => Promise<void> {
  const running = new Map<string, { readonly now: Promise<void>; next?: Promise<void> }>();

  function start(path: string): Promise<void> {
    const now = syncDirectory(path).finally(() => {
      if (running.get(path)?.now === now) running.delete(path);
    });
    running.set(path, { now });
    return now;
  }

  return (path) => {
    const current = running.get(path);
    if (!current) return start(path);
    current.next ??= current.now.catch(() => {}).then(() => start(path));
    return current.next;
  };
}
