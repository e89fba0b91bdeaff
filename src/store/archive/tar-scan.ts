import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { RegistryError } from "../../oci/error.ts";
import { blockSize, paddingOf, parsePax, parseTarHeader, type TarHeader } from "./tar-format.ts";

/** Where a member of an archive is; a link has no bytes of its own. */
export interface Member {
  readonly start: number;
  readonly size: number;
  /** The member that a link leads to, by its name in the archive. */
  readonly link?: string;
}

const memberLimit = 100_000;
const longHeaderLimit = 1024 * 1024;
const nameLimit = 1024;
const windowSize = 64 * 1024;

/**
 * Lists the files and links of a tar archive by its headers alone, in the file's order; of several with one name the last
 * counts, as for who unpacks it. Throws CORRUPT with the position where it is no whole archive or names a path outside itself.
 */
export async function scanTar(file: FileHandle, size: number, what: string): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  const read = windowedReader(file, size);
  let long: { readonly name?: string; readonly link?: string; readonly size?: number } = {};
  for (let at = 0; at < size;) {
    const place = `${what} is corrupt at byte ${at}`;
    const header = parseTarHeader(await read(at, blockSize, place), place);
    if (!header) break;
    const start = at + blockSize;
    const isLong = "LKxg".includes(header.type);
    const bytes = isLong ? header.size : (long.size ?? header.size);
    if (start + bytes > size) {
      throw new RegistryError(
        "CORRUPT",
        `${place}: a member of ${bytes} bytes goes beyond the end at ${size}: the archive is cut off`,
      );
    }
    if (isLong) {
      if (bytes > longHeaderLimit) throw new RegistryError("CORRUPT", `${place}: an extended header of ${bytes} bytes`);
      long = { ...long, ...readLong(header.type, await read(start, bytes, place), place) };
    } else {
      add(members, { ...header, ...long, size: bytes }, start, place);
      long = {};
    }
    if (members.size > memberLimit)
      throw new RegistryError("TOO_LARGE", `${what} has more than ${memberLimit} members`);
    at = start + bytes + paddingOf(bytes);
  }
  return members;
}

/** What an extended header says of the member after it; a global one of none that matter here. */
function readLong(type: string, bytes: Uint8Array, place: string): { name?: string; link?: string; size?: number } {
  if (type === "g") return {};
  if (type !== "x") {
    const end = bytes.indexOf(0);
    const text = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("utf8");
    return type === "L" ? { name: text } : { link: text };
  }
  const records = parsePax(bytes, place);
  const [name, link, size] = [records.get("path"), records.get("linkpath"), records.get("size")];
  if (size !== undefined && (!/^[0-9]+$/.test(size) || !Number.isSafeInteger(Number(size)))) {
    throw new RegistryError("CORRUPT", `${place}: its size is no number`);
  }
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) throw sparse(place);
  return { ...(name && { name }), ...(link && { link }), ...(size !== undefined && { size: Number(size) }) };
}

function add(members: Map<string, Member>, header: TarHeader, start: number, place: string): void {
  if (header.type === "S") throw sparse(place);
  if (header.name.endsWith("/") || !"0712".includes(header.type)) return;
  const name = inside(header.name, place);
  if (members.has(name) && single.has(name)) {
    throw new RegistryError("CORRUPT", `${place}: the archive has a second ${name}`);
  }
  // The last one counts, and the last one's place among the others.
  members.delete(name);
  if (header.type === "1") members.set(name, { start, size: 0, link: inside(header.link, place) });
  else if (header.type === "2")
    members.set(name, { start, size: 0, link: inside(header.link, place, posix.dirname(name)) });
  else members.set(name, { start, size: header.size });
}

/** Members whose doubling would let two readers see two different images. */
const single: ReadonlySet<string> = new Set(["index.json", "oci-layout", "manifest.json", "repositories"]);

/** A path as a name in the archive; throws where it leads out of it. */
function inside(path: string, place: string, folder = "."): string {
  const name = posix.normalize(posix.join(folder, path));
  const outside = path === "" || path.startsWith("/") || name.startsWith("../") || name === ".." || path.includes("\0");
  if (outside || path.length > nameLimit) {
    throw new RegistryError("CORRUPT", `${place}: ${JSON.stringify(path.slice(0, 200))} leads out of the archive`);
  }
  return name;
}

function sparse(place: string): RegistryError {
  return new RegistryError("UNSUPPORTED", `${place}: a sparse member`, {
    hint: "pack the archive without sparse files",
  });
}

/** Reads a few bytes anywhere, in larger steps where members are small and many; they last until the next are read. */
function windowedReader(
  file: FileHandle,
  size: number,
): (at: number, length: number, place: string) => Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(windowSize);
  let [from, to] = [0, 0];
  return async (at, length, place) => {
    if (at + length > size) throw new RegistryError("CORRUPT", `${place}: the archive ends in the middle of a header`);
    if (length > windowSize) {
      const own = Buffer.alloc(length);
      await readFully(file, own, at, place);
      return own;
    }
    if (at < from || at + length > to) {
      const wanted = Math.min(windowSize, size - at);
      await readFully(file, buffer.subarray(0, wanted), at, place);
      [from, to] = [at, at + wanted];
    }
    return buffer.subarray(at - from, at - from + length);
  };
}

async function readFully(file: FileHandle, buffer: Uint8Array, at: number, place: string): Promise<void> {
  for (let done = 0; done < buffer.byteLength;) {
    const { bytesRead } = await file.read(buffer, done, buffer.byteLength - done, at + done);
    if (bytesRead === 0) throw new RegistryError("CORRUPT", `${place}: the file became shorter while it was read`);
    done += bytesRead;
  }
}
