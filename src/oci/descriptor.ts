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
  const { mediaType, digest, size, platform, artifactType, annotations, urls, data } = object;
  if (typeof mediaType !== "string" || mediaType === "") throw invalid(`${at}.mediaType`, "is not a media type");
  if (typeof digest !== "string" || !isDigest(digest))
    throw invalid(`${at}.digest`, "is not a sha256 or sha512 digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${at}.size`, "is not a number of bytes");
  return {
    mediaType,
    digest,
    size,
    ...(isObject(platform) && { platform: parsePlatformObject(platform, `${at}.platform`) }),
    ...(typeof artifactType === "string" && { artifactType }),
    ...(isObject(annotations) && { annotations: parseAnnotations(annotations, `${at}.annotations`) }),
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

/** Reads annotations: texts by name. */
export function parseAnnotations(value: unknown, at: string): Readonly<Record<string, string>> {
  const object = asObject(value, at);
  for (const [name, text] of Object.entries(object)) {
    if (typeof text !== "string") throw invalid(`${at}[${JSON.stringify(name)}]`, "is not a text");
  }
  return object as Record<string, string>;
}

function parsePlatformObject(object: Record<string, unknown>, at: string): Platform {
  const { os, architecture, variant, "os.version": version, "os.features": features } = object;
  if (typeof os !== "string" || typeof architecture !== "string") throw invalid(at, "names no os or no architecture");
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
