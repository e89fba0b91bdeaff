import { RegistryError } from "../../oci/error.ts";

/** Everything in a tar archive comes in blocks of this many bytes. */
export const blockSize = 512;

/** A header block of a tar archive (POSIX.1-2001 "ustar", with GNU's and old forms). */
export interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly link: string;
}

/** The bytes that fill a member of this size up to whole blocks. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** Reads a header block; undefined where it is one of the empty blocks that end an archive. `at` is the place, for errors. */
export function parseTarHeader(block: Uint8Array, at: string): TarHeader | undefined {
  const sum = checksum(block);
  if (sum === emptySum) return undefined;
  if (parseNumber(block.subarray(148, 156)) !== sum) throw corrupt(at, "it is no tar header: its checksum is wrong");
  const size = parseNumber(block.subarray(124, 136));
  if (size === undefined) throw corrupt(at, "its size is no number");
  const posix = text(block.subarray(257, 263)) === "ustar" && block[262] === 0;
  const prefix = posix ? text(block.subarray(345, 500)) : "";
  const name = text(block.subarray(0, 100));
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156]!);
  return { name: prefix ? `${prefix}/${name}` : name, type, size, link: text(block.subarray(157, 257)) };
}

/** Reads the records of a pax header (`size key=value`, POSIX.1-2001 "pax Extended Header"). */
export function parsePax(bytes: Uint8Array, at: string): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; start < buffer.length && buffer[start] !== 0;) {
    const space = buffer.indexOf(0x20, start);
    const digits = space < 0 ? "" : buffer.toString("latin1", start, space);
    const end = /^[1-9][0-9]{0,7}$/.test(digits) ? start + Number(digits) : -1;
    const equals = buffer.indexOf(0x3d, space);
    if (end > buffer.length || equals < 0 || equals >= end || buffer[end - 1] !== 0x0a)
      throw corrupt(at, "its pax header is malformed");
    records.set(buffer.toString("utf8", space + 1, equals), buffer.toString("utf8", equals + 1, end - 1));
    start = end;
  }
  return records;
}

/** Writes the header of a regular file, the same for the same file; a long name or a huge size takes a pax header before it. */
export function tarHeader(name: string, size: number): Buffer {
  const records = [
    ...(Buffer.byteLength(name) > 100 ? [["path", name]] : []),
    ...(size > maxOctal ? [["size", String(size)]] : []),
  ];
  const plain = headerBlock(Buffer.from(name).subarray(0, 100), size > maxOctal ? 0 : size, "0");
  if (records.length === 0) return plain;
  const pax = Buffer.from(records.map(([key, value]) => paxRecord(key!, value!)).join(""));
  return Buffer.concat([
    headerBlock(Buffer.from("pax"), pax.length, "x"),
    pax,
    Buffer.alloc(paddingOf(pax.length)),
    plain,
  ]);
}

/** What ends an archive. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockSize);

const maxOctal = 0o77777777777;

function headerBlock(name: Uint8Array, size: number, type: string): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  };
  block.set(name);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(type, 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return block;
}

/** The sum of a header's bytes, its checksum field taken as spaces. */
function checksum(block: Uint8Array): number {
  let sum = emptySum;
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) sum += block[i]!;
  return sum;
}

const emptySum = 8 * 0x20;

/** A record counts its own length's digits too. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let size = bytes + String(bytes).length;
  if (bytes + String(size).length !== size) size = bytes + String(size).length;
  return `${size}${rest}`;
}

/** Octal text, or GNU's base 256 with the first bit set; undefined where it is neither, or no safe number. */
function parseNumber(field: Uint8Array): number | undefined {
  if (field[0]! & 0x80) {
    const value = field.reduce((total, byte, i) => total * 256 + (i === 0 ? byte & 0x7f : byte), 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = text(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : undefined;
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}

function corrupt(at: string, what: string): RegistryError {
  return new RegistryError("CORRUPT", `${at}: ${what}`);
}
