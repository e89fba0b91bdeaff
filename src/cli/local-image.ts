import { existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { doing } from "../files/file-error.ts";
import { parseLocation, RegistryError, type Location } from "../index.ts";

/** Whether a word names its own format, as `oci:DIR` does. */
export function isLocation(word: string): boolean {
  return /^(oci|oci-archive|docker-archive|dir):/.test(word) || word.includes("://");
}

/** What a path is as a place for images, seen from what is there; throws INVALID where it is none. */
export async function detectLocation(path: string, kind: string | undefined): Promise<string> {
  if (isLocation(path)) return path;
  if (path === "-") return `${kind ?? "oci-archive"}:-`;
  return `${kind ?? (await detectKind(path))}:${path}`;
}

/** The local place and path of a location; throws INVALID where it is in a registry. */
export function localPart(text: string): Exclude<Location, { transport: "registry" }> {
  const location = parseLocation(text);
  if (location.transport !== "registry") return location;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is in a registry`, {
    hint: "between registries, use gantry copy",
  });
}

/** What of these words names a local place at which nothing is, and where that was looked for. */
export function placesMissing(words: readonly string[]): { readonly word: string; readonly path: string }[] {
  return words.flatMap((word) => {
    const path = /^(?:oci|oci-archive|docker-archive|dir):/.test(word) ? localPart(word).path : "-";
    return path === "-" || existsSync(path) ? [] : { word, path: resolve(path) };
  });
}

async function detectKind(path: string): Promise<string> {
  const found = await doing(`read ${path}`, () => stat(path));
  if (found.isDirectory()) {
    if (await exists(join(path, "oci-layout"))) return "oci";
    if (await exists(join(path, "manifest.json"))) return "dir";
    throw new RegistryError(
      "INVALID",
      `${path} is neither an OCI layout nor a dir: directory: it has no oci-layout and no manifest.json`,
    );
  }
  const names = await doing(`read ${path}`, () => namesIn(path));
  if (names.has("oci-layout")) return "oci-archive";
  if (names.has("manifest.json")) return "docker-archive";
  throw new RegistryError("INVALID", `${path} is no image archive: no oci-layout and no manifest.json in it`, {
    hint: "say what it is with --as",
  });
}

/** Whether there is anything at a path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const block = 512;

/** The names of the files at the top of a tar archive, read header by header, without the content between. */
async function namesIn(path: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const file = await open(path);
  try {
    const header = Buffer.alloc(block);
    for (let at = 0; (await file.read(header, 0, block, at)).bytesRead === block;) {
      const size = sizeIn(header);
      if (header.toString("latin1", 257, 262) !== "ustar" || size === undefined) break;
      names.add(header.toString("utf8", 0, 100).replace(/\0.*$/s, "").replace(/^\.\//, ""));
      at += block + Math.ceil(size / block) * block;
    }
  } finally {
    await file.close();
  }
  return names;
}

/** A header's size field: octal digits, or base 256 where the first bit is set. */
function sizeIn(header: Buffer): number | undefined {
  if (header[124]! & 0x80) return Number(header.readBigUInt64BE(128));
  const digits = header
    .toString("latin1", 124, 136)
    .replace(/[\0 ]+$/, "")
    .trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
