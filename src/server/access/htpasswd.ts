import { readFileSync, statSync } from "node:fs";
import { fileError, isErrno } from "../../files/file-error.ts";
import { RegistryError } from "../../oci/error.ts";

/** Bcrypt hashes by user name. */
export type Entries = ReadonlyMap<string, string>;

/** The users of an htpasswd file, as the file says now. */
export interface UserFile {
  /** Costs one `stat` where nothing changed. Throws INVALID or DENIED, at every call, while the file is missing or wrong. */
  entries(): Entries;
}

const bcryptForm = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const leastCost = 4;
/** A cost of 16 takes seconds for each login already; beyond, one login would keep a processor busy for minutes. */
const mostCost = 16;
const remedy = "write it with: htpasswd -B FILE USER";

/** Follows an htpasswd file; it is not read before it is asked for. */
export function userFile(file: string): UserFile {
  let stamp: string | undefined;
  let read: () => Entries;
  return {
    entries: () => {
      const found = statSync(file, { bigint: true, throwIfNoEntry: false });
      const now = found ? `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : "absent";
      if (now !== stamp) {
        read = outcomeOf(() => parseHtpasswd(textOf(file), file));
        stamp = now;
      }
      return read();
    },
  };
}

/**
 * Reads an htpasswd file's text: bcrypt entries, one a line, beside comments and empty lines. Throws INVALID with file
 * and line for anything else, and never repeats what might be a password or its hash.
 */
export function parseHtpasswd(text: string, file: string): Entries {
  const entries = new Map<string, string>();
  const lines = new Map<string, number>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const line = raw.replace(/\r$/, "");
    if (line.trim() === "" || line.startsWith("#")) continue;
    const place = `${file}, line ${index + 1}`;
    const colon = line.indexOf(":");
    if (colon < 0) throw invalid(`${place} has no ":" between user and hash`, remedy);
    const user = line.slice(0, colon);
    if (!isUserName(user))
      throw invalid(`${place}: a user name is 1 to 255 characters, none of them a control character`);
    const before = lines.get(user);
    if (before !== undefined)
      throw invalid(`${place}: user ${user} is in line ${before} already`, "keep one of the two");
    const hash = line.slice(colon + 1);
    checkHash(hash, `${place}: user ${user}`);
    entries.set(user, hash);
    lines.set(user, index + 1);
  }
  return entries;
}

/** Whether a text can be a user's name in an htpasswd file. */
export function isUserName(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
  return text.length <= 255 && /^[^:\u0000-\u001f\u007f]+$/.test(text);
}

/** The cost (as a power of two) of a bcrypt hash. */
export function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

function checkHash(hash: string, place: string): void {
  const cost = Number(bcryptForm.exec(hash)?.[1] ?? Number.NaN);
  if (Number.isNaN(cost)) throw invalid(`${place} has ${kindOf(hash)}, only bcrypt ($2y$) is taken`, remedy);
  if (cost < leastCost || cost > mostCost) {
    throw invalid(`${place} has a bcrypt cost of ${cost}, which is not between ${leastCost} and ${mostCost}`);
  }
}

function kindOf(hash: string): string {
  if (hash === "") return "no hash";
  if (/^\$2[a-z]?\$/.test(hash)) return "a damaged bcrypt hash";
  if (hash.startsWith("$apr1$") || hash.startsWith("$1$")) return "an MD5 hash";
  if (hash.startsWith("{SHA}")) return "a SHA-1 hash";
  if (hash.startsWith("$5$")) return "a SHA-256 crypt hash";
  if (hash.startsWith("$6$")) return "a SHA-512 crypt hash";
  return "a crypt() hash or a plain password";
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const doing = `read the htpasswd file ${file}`;
    if (!isErrno(cause, "ENOENT")) throw fileError(cause, doing);
    throw new RegistryError("INVALID", `cannot ${doing}: it is not there`, {
      hint: `write it with: htpasswd -B -c ${file} USER`,
      cause,
    });
  }
}

/** Runs once; the result gives or throws, as often as it is asked, what came out. */
function outcomeOf<Value>(run: () => Value): () => Value {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function invalid(message: string, hint?: string): RegistryError {
  return new RegistryError("INVALID", message, hint === undefined ? {} : { hint });
}
