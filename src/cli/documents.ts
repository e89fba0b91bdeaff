import { createReadStream, readFileSync, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { doing } from "../files/file-error.ts";
import { RegistryError } from "../index.ts";
import { formatSize } from "./render/text.ts";
import type { Document } from "../plan/index.ts";

/** No policy of any service is as long. */
const longestPolicy = 1 << 20;

/** Reads JSON or YAML from a file, or from stdin for `-`. Throws INVALID with the place of what is neither. */
export async function readDocument(path: string, stdin: () => Readable): Promise<Document> {
  const { parseYaml } = await import("../plan/index.ts");
  return parseYaml(await readText(path, nameOf(path), stdin, longestPolicy), nameOf(path));
}

/** The same for what a program wrote, which may be long: so many bytes. */
export async function readLongDocument(path: string, stdin: () => Readable, most: number): Promise<Document> {
  const { parseJson } = await import("../plan/index.ts");
  return parseJson(await readText(path, nameOf(path), stdin, most), nameOf(path));
}

/** What messages call a file that a command reads. */
export const nameOf = (path: string): string => (path === "-" ? "stdin" : path);

/** Reads a text of at most so many bytes from a file, or from stdin for `-`. Throws INVALID where it is longer. */
export async function readText(
  path: string,
  name: string,
  stdin: () => Readable,
  most = longestPolicy,
): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  await doing(`read ${name}`, async () => {
    for await (const piece of path === "-" ? stdin() : piecesOf(path, most)) {
      pieces.push(piece as Buffer);
      size += (piece as Buffer).length;
      if (size > most)
        throw new RegistryError("INVALID", `${name} is longer than ${formatSize(most)}, and no more is read`);
    }
  });
  return Buffer.concat(pieces).toString("utf8");
}

/** A file that keeps nobody waiting is read at once: the streams of files take Node 3 ms to load. */
function piecesOf(path: string, most: number): Readable | Iterable<Buffer> {
  const file = statSync(path);
  return file.isFile() && file.size <= most ? [readFileSync(path)] : createReadStream(path);
}
