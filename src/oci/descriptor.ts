import { isDigest, type Digest } from "./digest.ts";
import { RegistryError } from "./error.ts";
import type { Platform } from "./platform.ts";

/** Points at content: its type, its digest and its size in bytes (image-spec, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where a foreign layer can be had. */
  readonly urls?: readonly string[];
  /** The content itself, base64, for small things. */
  readonly data?: string;
}

/** The annotation that names a manifest in an image layout (image-spec, "Annotations"). */
export const refNameAnnotation = "org.opencontainers.image.ref.name";

/** Reads a descriptor out of parsed JSON; throws MANIFEST_INVALID naming the field, with `at` as its path. */
export function parseDescriptor(value: unknown, at: string): Descriptor {
  const object = asObject(value, at);
  checkNames(object, descriptorNames, at);
  const { mediaType, digest, size, platform: runsOn, artifactType, annotations: notes, urls, data } = object;
  const platform = parsePlatformObject(runsOn, `${at}.platform`);
  const annotations = parseAnnotations(notes, `${at}.annotations`);
  if (typeof mediaType !== "string" || mediaType === "") throw invalid(`${at}.mediaType`, "is not a media type");
  if (typeof digest !== "string" || !isDigest(digest))
    throw invalid(`${at}.digest`, "is not a sha256 or sha512 digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${at}.size`, "is not a number of bytes");
  return {
    mediaType,
    digest,
    size,
    ...(platform && { platform }),
    ...(typeof artifactType === "string" && { artifactType }),
    ...(annotations && { annotations }),
    ...(Array.isArray(urls) && { urls: urls.filter((url) => typeof url === "string") }),
    ...(typeof data === "string" && { data }),
  };
}

/** Reads a list of descriptors; an absent list is an empty one. */
export function parseDescriptors(value: unknown, at: string): readonly Descriptor[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(at, "is not a list");
  return value.map((item, i) => parseDescriptor(item, `${at}[${i}]`));
}

/** Reads annotations, texts by name; undefined where there are none. */
export function parseAnnotations(value: unknown, at: string): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  const object = asObject(value, at);
  for (const [name, text] of Object.entries(object)) {
    if (typeof text !== "string") throw invalid(`${at}[${JSON.stringify(name.slice(0, 100))}]`, "is not a text");
  }
  return object as Record<string, string>;
}

/** Names that a JSON object is read by, and how each looks whatever its case. */
export type JsonNames = ReadonlyMap<string, string>;

export function jsonNames(...names: readonly string[]): JsonNames {
  return new Map(names.map((name) => [foldCase(name), name]));
}

/**
 * Refuses a name that differs from a known one in case alone. Go's parser, which most registries and clients use, takes
 * the one for the other: to them the same bytes would be another image than to us.
 */
export function checkNames(object: Readonly<Record<string, unknown>>, names: JsonNames, at: string): void {
  for (const name of Object.keys(object)) {
    const known = names.get(foldCase(name));
    if (known !== undefined && known !== name)
      throw invalid(at, `has the field ${JSON.stringify(name)} instead of "${known}"`);
  }
}

/** Also of letters whose other case is a plain letter, as Go folds them: the Kelvin sign, the long s. */
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase();
}

const descriptorNames = jsonNames(
  "mediaType",
  "digest",
  "size",
  "platform",
  "artifactType",
  "annotations",
  "urls",
  "data",
);
const platformNames = jsonNames("os", "architecture", "variant", "os.version", "os.features");

/** A platform is for choosing only: one that names no system or no architecture is none. */
function parsePlatformObject(value: unknown, at: string): Platform | undefined {
  if (!isObject(value)) return undefined;
  checkNames(value, platformNames, at);
  const { os, architecture, variant, "os.version": version, "os.features": features } = value;
  if (typeof os !== "string" || typeof architecture !== "string") return undefined;
  return {
    os,
    architecture,
    ...(typeof variant === "string" && variant !== "" && { variant }),
    ...(typeof version === "string" && version !== "" && { "os.version": version }),
    ...(Array.isArray(features) && { "os.features": features.filter((name) => typeof name === "string") }),
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: unknown, at: string): Record<string, unknown> {
  if (!isObject(value)) throw invalid(at, "is not an object");
  return value;
}

function invalid(at: string, what: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", `invalid manifest: ${at} ${what}`);
}
