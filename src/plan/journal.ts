import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { doing, isErrno } from "../files/file-error.ts";
import { withLock } from "../files/lock.ts";
import { makeDirectories } from "../files/make-directories.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import type { Call } from "../store/store.ts";
import type { Journal } from "./apply.ts";
import { formatLine, headerOf, parseLine, readLines, type JournalHeader, type JournalRecord } from "./journal-lines.ts";
import type { Plan } from "./plan.ts";

/** A manifest of 4 MiB in base64, a step that puts it, and then some. */
const longestLine = 1 << 25;

export interface JournalOptions extends Call {
  /** Is told, once, that another process applies the same plan, and is waited for. */
  readonly onWait?: (message: string) => void;
}

/** A journal in a file; `isBegun` once there is something to take back. */
export interface JournalFile extends Journal {
  readonly isBegun: boolean;
}

/**
 * Runs `act` with the journal of a plan in a file of JSON lines, which nobody else writes meanwhile. One that is there goes
 * on: a last line that was not written whole is cut off. The file comes to be with the first step. Throws INVALID where the
 * file is another plan's journal, or none.
 */
export async function withJournal<T>(
  path: string,
  plan: Plan,
  act: (journal: JournalFile) => Promise<T>,
  { signal, onWait }: JournalOptions = {},
): Promise<T> {
  const writing = `write the journal ${path}`;
  await doing(writing, () => makeDirectories(dirname(path), 0o700));
  const locked = (timeout: number): Promise<T> =>
    withLock(`${path}.lock`, { what: `the journal ${path}`, timeout, ...(signal && { signal }) }, async () => {
      const header = headerOf(plan);
      const journal = writer(path, header, await goOn(path, header));
      try {
        return await act(journal);
      } finally {
        await journal.close();
      }
    });
  try {
    return await doing(writing, () => locked(0));
  } catch (error) {
    if (!isRegistryError(error, "CONFLICT") || !error.message.startsWith("the journal")) throw error;
    onWait?.(`${error.message}: waiting for its end`);
    return doing(writing, () => locked(Number.POSITIVE_INFINITY));
  }
}

/** Opens a journal that is there, cut to its whole lines. Throws INVALID where it is not this plan's. */
async function goOn(path: string, header: JournalHeader): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r+");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    if (!(await file.stat()).isFile()) {
      const message = `cannot write the journal ${path}: it is a device or a pipe, and a journal has to be a file`;
      throw new RegistryError("INVALID", message, { hint: "name another file by --journal" });
    }
    let [end, first]: [number, string | undefined] = [0, undefined];
    for await (const line of wholeLines(path, file)) {
      first ??= line.text;
      end = line.end;
    }
    if (first !== undefined) checkHeader(path, first, header);
    await file.truncate(end);
    await file.close();
    return end === 0 ? undefined : await open(path, "a");
  } catch (error) {
    await file.close();
    throw error;
  }
}

function checkHeader(path: string, line: string, header: JournalHeader): void {
  const found = parseLine(path, 1, line);
  if (found.line === "plan" && found.digest === header.digest) return;
  throw new RegistryError("INVALID", `${path} is the journal of another plan`, {
    hint: "name another file by --journal, or none; a run that makes its plan anew goes on without one, too",
  });
}

/** Writes lines in groups, each group durable before any of its `begin` settles. After a failure nothing is written any more. */
function writer(
  path: string,
  header: JournalHeader,
  known: FileHandle | undefined,
): JournalFile & { close(): Promise<void> } {
  let file = known;
  let lines = [formatLine(header)];
  /** Whether nothing was written in this run: then a header alone is not worth writing. */
  let isNew = true;
  let last = Promise.resolve();
  let next: Promise<void> | undefined;

  async function write(): Promise<void> {
    next = undefined;
    const text = lines.join("");
    lines = [];
    isNew = false;
    const hadFile = file !== undefined;
    file ??= await open(path, "a", 0o600);
    await file.appendFile(text);
    await file.datasync();
    if (!hadFile) await syncDirectory(dirname(path));
  }

  const flush = (): Promise<void> => {
    if (!next) last = next = last.then(() => doing(`write the journal ${path}`, write));
    return next;
  };
  return {
    get isBegun() {
      return file !== undefined;
    },
    begin(step, before) {
      lines.push(formatLine({ line: "begin", step, before }));
      return flush();
    },
    end(step, { outcome, why, changed, bytes, digest }) {
      const more = {
        ...(why !== undefined && { why }),
        ...(changed === false && { changed }),
        ...(bytes !== undefined && { bytes }),
        ...(digest && { digest }),
      };
      lines.push(formatLine({ line: "end", id: step.id, outcome, ...more }));
    },
    async close() {
      try {
        // A journal in which nothing was begun has nothing to tell.
        if (file && lines.length > (isNew ? 1 : 0)) await flush();
      } finally {
        await file?.close();
      }
    },
  };
}

/** That a new file's name is durable, too; not every file system can. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r").catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}

/**
 * Reads a journal. A last line that was not written whole is left out, for its step was not begun. Throws INVALID with the
 * line of what is no journal's.
 */
export async function readJournal(path: string, call?: Call): Promise<JournalRecord> {
  const journal = await readBegunJournal(path, call);
  if (!journal) throw new RegistryError("INVALID", `${path} is no journal: it has no whole line`);
  return journal;
}

/** The same, but undefined for one without a whole line, as a run leaves it that was killed before its first step. */
export async function readBegunJournal(path: string, { signal }: Call = {}): Promise<JournalRecord | undefined> {
  const file = await doing(`read the journal ${path}`, () => open(path, "r"));
  try {
    return await doing(`read the journal ${path}`, () => readLines(path, texts()));
  } finally {
    await file.close();
  }

  async function* texts(): AsyncGenerator<string, void> {
    for await (const { text } of wholeLines(path, file)) {
      signal?.throwIfAborted();
      yield text;
    }
  }
}

/** Lines that end, and where they do, in bytes. Throws INVALID for one that is longer than any of a journal. */
async function* wholeLines(
  path: string,
  file: FileHandle,
): AsyncGenerator<{ readonly text: string; readonly end: number }, void> {
  let pieces: Buffer[] = [];
  let [end, held] = [0, 0];
  for await (const piece of file.createReadStream({ autoClose: false, start: 0, highWaterMark: 1 << 20 })) {
    let rest = piece as Buffer;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      pieces.push(rest.subarray(0, at));
      end += held + at + 1;
      yield { text: Buffer.concat(pieces).toString("utf8"), end };
      [pieces, held, rest] = [[], 0, rest.subarray(at + 1)];
    }
    pieces.push(rest);
    held += rest.length;
    if (held > longestLine) throw new RegistryError("INVALID", `${path} is no journal: a line of it is too long`);
  }
}
