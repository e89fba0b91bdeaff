import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

const form = /^\.gantry-[0-9]+-[0-9a-f]+$/;
const dayInMs = 24 * 60 * 60 * 1000;

/** A new path for what is being written, in the folder where it goes; `file` is what it will be called, where that matters. */
export function draftPath(folder: string, file = ""): string {
  return join(folder, `${startOf(file)}.gantry-${process.pid}-${randomBytes(8).toString("hex")}`);
}

/**
 * Removes the drafts that runs left which were killed. Who wrote one may be on another machine, or in another container: it is
 * left when nothing was added for a day. What cannot be removed stays.
 */
export async function clearDrafts(folder: string, file = ""): Promise<void> {
  const start = startOf(file);
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(start) || !form.test(name.slice(start.length))) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > dayInMs) await rm(path, { force: true }).catch(() => {});
  }
}

function startOf(file: string): string {
  return file && `.${file}`;
}
