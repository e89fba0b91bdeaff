import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { isRegistryError, RegistryError, type ErrorCode } from "../oci/error.ts";

const meanings: Readonly<Record<string, { readonly code: ErrorCode; readonly text: string; readonly hint?: string }>> =
  {
    EACCES: { code: "DENIED", text: "permission denied", hint: "mend its permissions, or run it as a user who may" },
    EDQUOT: { code: "UNKNOWN", text: "the disk quota is used up", hint: "free some space there, then run it again" },
    EEXIST: { code: "INVALID", text: "a file is in its way" },
    EFBIG: { code: "UNKNOWN", text: "it is larger than a file may be there" },
    EISDIR: { code: "INVALID", text: "it is a directory" },
    ELOOP: { code: "CORRUPT", text: "its symbolic links lead in a circle" },
    EMFILE: { code: "UNKNOWN", text: "too many files are open", hint: "raise the limit (ulimit -n) or use fewer jobs" },
    ENAMETOOLONG: { code: "INVALID", text: "the path is too long" },
    ENOENT: { code: "INVALID", text: "there is no such file or directory" },
    ENOSPC: {
      code: "UNKNOWN",
      text: "no space is left on the device",
      hint: "free some space there, then run it again",
    },
    ENOTDIR: { code: "INVALID", text: "a part of the path is a file, not a directory" },
    EPERM: {
      code: "DENIED",
      text: "the operation is not permitted",
      hint: "mend its permissions, or run it as a user who may",
    },
    EPIPE: { code: "UNKNOWN", text: "whoever read it has stopped reading" },
    EROFS: { code: "DENIED", text: "the file system is read-only", hint: "name a place that can be written to" },
  };

/**
 * A system call's error as a RegistryError that says what was being done (`cannot write /a/b: no space is left`), or else names
 * the file alone; others unchanged.
 */
export function fileError(error: unknown, doing?: string): unknown {
  const code = codeOf(error);
  if (isRegistryError(error) || code === undefined) return error;
  const { path, message } = error as NodeJS.ErrnoException;
  const subject = doing === undefined ? path : `cannot ${doing}`;
  const meaning = meanings[code];
  const plain = /^[A-Z0-9_]+: ([^,]+)/.exec(message)?.[1] ?? message;
  const isRelative = code === "ENOENT" && path !== undefined && !isAbsolute(path);
  const hint = isRelative ? `it was looked for in ${process.cwd()}` : meaning?.hint;
  return new RegistryError(
    meaning?.code ?? "UNKNOWN",
    subject === undefined ? plain : `${subject}: ${meaning?.text ?? plain}`,
    { cause: error, ...(hint && { hint }) },
  );
}

/** Does something with files, and says what it was where that fails. */
export async function doing<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileError(error, what);
  }
}

/** Throws INVALID where no file stands at a path, but something else: what is renamed to there would take its place, or cannot. */
export async function rejectSpecial(path: string, hint?: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (!there || there.isFile()) return;
  if (there.isDirectory()) throw new RegistryError("INVALID", `cannot write ${path}: it is a directory`);
  const message = `cannot write ${path}: it is a device or a pipe, and a file would take its place`;
  throw new RegistryError("INVALID", message, hint === undefined ? {} : { hint });
}

/** Whether a caught value is a system call's error of one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(error);
  return code !== undefined && codes.includes(code);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error)) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
