import { isUtf8 } from "node:buffer";
import { open, stat, type FileHandle } from "node:fs/promises";
import { parseDocument } from "./document.ts";
import { draftOf, type Level, type Origin } from "./draft.ts";
import type { ConfigFile } from "./places.ts";
import { readLevel } from "./read.ts";

const mostBytes = 1024 * 1024;

/** Reads a configuration file; whatever is wrong with it is a fault of the level. */
export async function readConfigFile(file: ConfigFile, origin: Origin): Promise<Level> {
  const bytes = await readBytes(file);
  if (typeof bytes === "string") return wrong({ ...origin, lines: false }, bytes);
  if (!isUtf8(bytes)) return wrong(origin, "this is not UTF-8", badLine(bytes));
  const { content, troubles } = await parseDocument(new TextDecoder().decode(bytes));
  const level = content ? readLevel(content, origin) : draftOf(origin).level;
  const told = troubles.map(({ line, column, message, hint }) => wrong(origin, message, line, column, hint));
  return { ...level, faults: [...told.flatMap(({ faults }) => faults), ...level.faults] };
}

/** Whether every user of the machine can read a file. */
export async function isPublic(path: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  return ((await stat(path)).mode & 0o004) !== 0;
}

/** What is in a file, or why that cannot be read. */
async function readBytes({ path, role }: ConfigFile): Promise<Buffer | string> {
  try {
    // One that was found and is a pipe would be waited for.
    if (role !== "named" && !(await stat(path)).isFile()) return "this is not a file";
    const handle = await open(path);
    try {
      return await readUpTo(mostBytes, handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return reasons[code] ?? `this cannot be read (${code || String(error)})`;
  }
}

async function readUpTo(most: number, handle: FileHandle): Promise<Buffer | string> {
  const pieces: Buffer[] = [];
  for (let length = 0; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024));
    length += bytesRead;
    if (length > most) return "this is larger than 1 MiB";
    if (bytesRead === 0) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, bytesRead));
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "this cannot be read: permission denied",
  EISDIR: "this is a directory",
  ELOOP: "this cannot be read: its symbolic links lead in a circle",
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
};

function wrong(origin: Origin, message: string, line = 1, column = 1, hint?: string): Level {
  const draft = draftOf(origin);
  draft.fault({ line, column }, message, hint);
  return draft.level;
}

/** The line of the first byte that is not UTF-8. */
function badLine(bytes: Buffer): number {
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
