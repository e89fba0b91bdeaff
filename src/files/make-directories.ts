import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isErrno } from "./file-error.ts";

/**
 * Makes a directory and those above it, as far as they are not there; answers the topmost that was made. Node's own
 * `recursive` never ends where no directory can be made, and the system says ENOENT (Linux below /proc).
 */
export async function makeDirectories(path: string, mode = 0o777): Promise<string | undefined> {
  const full = resolve(path);
  try {
    return await makeOne(full, mode);
  } catch (error) {
    const above = dirname(full);
    if (!isErrno(error, "ENOENT") || above === full) throw error;
    const topmost = await makeDirectories(above, mode);
    const made = await makeOne(full, mode);
    return topmost ?? made;
  }
}

/** The path, where it was made; undefined where there is a directory. */
async function makeOne(path: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) return undefined;
    throw error;
  }
}
