import { isObject, parseDescriptor, refNameAnnotation, type Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Manifest } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { imageNameAnnotation, type Naming } from "./naming.ts";

/** The most an index.json may weigh, in bytes. */
export const indexLimit: number = 64 * 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

/** A layout's index.json (image-spec, "Image Layout"); what others wrote into it and Gantry does not know stays. */
export interface IndexDocument {
  readonly entries: readonly Entry[];
  /** The document without its entries. */
  readonly rest: Json;
}

interface Entry {
  readonly descriptor: Descriptor;
  /** The entry as it was written. */
  readonly json: Json;
}

/** The index.json of a layout in which nothing is. */
export const emptyIndex: IndexDocument = { entries: [], rest: { schemaVersion: 2, mediaType: mediaTypes.ociIndex } };

/** Reads an index.json; throws CORRUPT naming `file` and what is wrong where in it. */
export function parseIndex(bytes: Uint8Array, file: string): IndexDocument {
  const { manifests = [], ...rest } = parseJsonObject(bytes, file);
  if (!Array.isArray(manifests)) throw new RegistryError("CORRUPT", `${file} is corrupt: manifests is not a list`);
  const entries = manifests.map((json: unknown, i) => {
    try {
      return { descriptor: parseDescriptor(json, `manifests[${i}]`), json: json as Json };
    } catch (cause) {
      if (!isRegistryError(cause)) throw cause;
      throw new RegistryError("CORRUPT", `${file} is corrupt: ${cause.message.replace("invalid manifest: ", "")}`, {
        cause,
      });
    }
  });
  return { entries, rest };
}

/** Reads a JSON object; throws CORRUPT naming `file` and the position. */
export function parseJsonObject(bytes: Uint8Array, file: string): Json {
  const value = parseJson(bytes, file);
  if (!isObject(value)) throw new RegistryError("CORRUPT", `${file} is corrupt: it is not a JSON object`);
  return value;
}

/** Reads JSON text; throws CORRUPT naming `file` and the position. */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RegistryError("CORRUPT", `${file} is corrupt: ${(cause as Error).message}`, { cause });
  }
}

/** Writes an index.json. */
export function formatIndex({ entries, rest }: IndexDocument): string {
  return JSON.stringify({ ...rest, manifests: entries.map(({ json }) => json) });
}

/** The descriptors of a document's entries. */
export function descriptorsOf(document: IndexDocument): readonly Descriptor[] {
  return document.entries.map(({ descriptor }) => descriptor);
}

/**
 * Lists a manifest under a name, in place of what had it; or without one, unless it is listed already. An index takes the
 * place of those of its children that were listed only because they came before it. The same document where nothing changes.
 */
export function listManifest(
  document: IndexDocument,
  manifest: Manifest,
  name: string | undefined,
  naming: Naming,
): IndexDocument {
  const { digest } = manifest.descriptor;
  const children = new Set(manifest.manifests.map((child) => child.digest));
  let listed = false;
  const kept = document.entries.filter((entry) => {
    const { descriptor } = entry;
    const same = descriptor.digest === digest;
    if (name !== undefined && naming.matches(descriptor, name)) return same && !listed && (listed = true);
    if (name === undefined && same) listed = true;
    return !(isBare(entry) && (children.has(descriptor.digest) || (name !== undefined && same)));
  });
  if (listed && kept.length === document.entries.length) return document;
  return { ...document, entries: listed ? kept : [...kept, entryOf(manifest, name, naming)] };
}

/** Takes a name away, and leaves its manifest listed without one; undefined where there is no such name. */
export function unlistName(document: IndexDocument, name: string, naming: Naming): IndexDocument | undefined {
  const named = document.entries.filter(({ descriptor }) => naming.matches(descriptor, name));
  if (named.length === 0) return undefined;
  const others = document.entries.filter((entry) => !named.includes(entry));
  const rest = named.filter(({ descriptor }, i) => {
    const same = (entry: Entry): boolean => entry.descriptor.digest === descriptor.digest;
    return !others.some(same) && named.findIndex(same) === i;
  });
  return { ...document, entries: [...others, ...rest.map(nameless)] };
}

/** Takes all entries of a manifest away. */
export function unlistDigest(document: IndexDocument, digest: Digest): IndexDocument {
  const entries = document.entries.filter(({ descriptor }) => descriptor.digest !== digest);
  return entries.length === document.entries.length ? document : { ...document, entries };
}

function entryOf({ descriptor, subject }: Manifest, name: string | undefined, naming: Naming): Entry {
  const { mediaType, digest, size, artifactType } = descriptor;
  const json = {
    mediaType,
    digest,
    size,
    ...(subject && artifactType && { artifactType }),
    ...(name !== undefined && { annotations: naming.annotations(name) }),
  };
  return { descriptor: json, json };
}

function nameless({ descriptor, json }: Entry): Entry {
  const { annotations: _, ...rest } = json;
  const { [refNameAnnotation]: _name, [imageNameAnnotation]: _full, ...others } = descriptor.annotations ?? {};
  const bare = { ...rest, ...(Object.keys(others).length > 0 && { annotations: others }) };
  return { descriptor: parseDescriptor(bare, "entry"), json: bare };
}

/** Whether an entry says nothing but that the manifest is there. */
function isBare({ json }: Entry): boolean {
  return Object.keys(json).every((key) => key === "mediaType" || key === "digest" || key === "size");
}
