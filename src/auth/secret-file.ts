import { constants, readFileSync, statSync, type Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { RegistryError } from "../oci/error.ts";
import { aborted } from "../transport/clock.ts";

/** What a file with secrets says. */
export interface SecretFile {
  /** Without a byte order mark. */
  readonly text: string;
  /** Whether every user of this machine can read it. */
  readonly isExposed: boolean;
}

/** No file of logins is longer than this, in bytes. */
const limit = 4 * 1024 * 1024;

/** Reads a file that may hold secrets; no file is `undefined`. Throws INVALID where it cannot be read or is longer than 4 MiB. */
export async function readSecretFile(file: string, signal?: AbortSignal): Promise<SecretFile | undefined> {
  if (signal?.aborted) throw aborted(signal);
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe would be waited for, and nothing could end that.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await handle.stat();
    if (!stat.isFile() && !stat.isCharacterDevice()) throw invalid(file, "is not a file");
    const bytes = await readAll(handle, file);
    return { text: bytes.toString("utf8").replace(/^\uFEFF/, ""), isExposed: isExposed(stat) };
  } catch (error) {
    return absentOr(error, file);
  } finally {
    await handle?.close();
  }
}

/** The same at once, for small files that few have. */
export function readSecretFileNow(file: string): SecretFile | undefined {
  try {
    const stat = statSync(file);
    // Whoever names /dev/null wants none.
    if (stat.isCharacterDevice()) return { text: "", isExposed: false };
    if (!stat.isFile()) throw invalid(file, "is not a file");
    if (stat.size > limit) throw invalid(file, "is longer than 4 MiB");
    return { text: readFileSync(file, "utf8").replace(/^\uFEFF/, ""), isExposed: isExposed(stat) };
  } catch (error) {
    return absentOr(error, file);
  }
}

function isExposed(stat: Stats): boolean {
  return process.platform !== "win32" && stat.isFile() && (stat.mode & 0o004) !== 0;
}

function absentOr(error: unknown, file: string): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error instanceof RegistryError ? error : invalid(file, `cannot be read (${code})`, error);
}

/** What is said of a file with a secret that others can read. */
export function exposedWarning(file: string): string {
  return `every user of this machine can read the login in ${file}: chmod 600 ${file}`;
}

async function readAll(handle: FileHandle, file: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let size = 0; size <= limit;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(64 * 1024));
    if (bytesRead === 0) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
  throw invalid(file, "is longer than 4 MiB");
}

function invalid(file: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError("INVALID", `${file} ${what}`, { cause, hint: "mend the file, or take it away" });
}
