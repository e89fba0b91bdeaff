import {
  checkNames,
  isObject,
  jsonNames,
  parseAnnotations,
  parseDescriptor,
  parseDescriptors,
  type Descriptor,
} from "./descriptor.ts";
import { algorithmOf, digestOf, type Digest, type DigestAlgorithm } from "./digest.ts";
import { RegistryError } from "./error.ts";
import { isIndexType, isManifestType, isSchema1, manifestAccept, mediaTypes } from "./media-types.ts";

/** The most a manifest may weigh, in bytes: what registries accept (distribution-spec, "Pushing Manifests"). */
export const manifestLimit: number = 4 * 1024 * 1024;

const bodyNames = jsonNames(
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "manifests",
  "blobs",
  "fsLayers",
  "subject",
  "annotations",
);

/** A manifest and the exact bytes its digest was taken over; never re-serialised. */
export interface Manifest {
  /** Points at these bytes, with the artifact type and annotations that a referrers list shows of it. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** The manifests it needs: an index's children. */
  readonly manifests: readonly Descriptor[];
  /** The blobs it needs: config first, then layers; also what an index lists that is no manifest. */
  readonly blobs: readonly Descriptor[];
  readonly config?: Descriptor;
  /** What it is attached to (a referrer). */
  readonly subject?: Descriptor;
}

export interface ManifestExpectation {
  /** The Content-Type it came with; the body's own `mediaType` must agree. */
  readonly mediaType?: string;
  /** The digest it was asked for by. */
  readonly digest?: Digest;
  /** With which algorithm to name it where no digest is expected. */
  readonly algorithm?: DigestAlgorithm;
}

/**
 * Reads the bytes of a manifest or an index. Throws UNVERIFIED where they do not have the expected digest,
 * MANIFEST_INVALID (naming the field) where they are no manifest, and UNSUPPORTED for Docker's schema 1.
 */
export function parseManifest(bytes: Uint8Array, expected: ManifestExpectation = {}): Manifest {
  const digest = digestOf(bytes, expected.digest ? algorithmOf(expected.digest) : expected.algorithm);
  if (expected.digest && digest !== expected.digest) {
    throw new RegistryError(
      "UNVERIFIED",
      `manifest ${expected.digest} is corrupt: its ${bytes.byteLength} bytes have the digest ${digest}`,
    );
  }
  const body = parseBody(bytes);
  const mediaType = mediaTypeOf(body, expected.mediaType);
  const annotations = parseAnnotations(body["annotations"], "annotations");
  const subject =
    body["subject"] === undefined || body["subject"] === null ? undefined : parseDescriptor(body["subject"], "subject");
  const content = isIndexType(mediaType) ? indexContent(body) : imageContent(body, mediaType);
  const artifactType =
    typeof body["artifactType"] === "string" && body["artifactType"] !== ""
      ? body["artifactType"]
      : content.config?.mediaType;
  return {
    descriptor: {
      mediaType,
      digest,
      size: bytes.byteLength,
      ...(artifactType && { artifactType }),
      ...(annotations && { annotations }),
    },
    bytes,
    ...content,
    ...(subject && { subject }),
  };
}

/** Writes a manifest body as JSON text and reads it back, so that bytes and fields agree. */
export function buildManifest(
  body: { readonly mediaType: string } & Readonly<Record<string, unknown>>,
  algorithm?: DigestAlgorithm,
): Manifest {
  return parseManifest(Buffer.from(writeJson({ schemaVersion: 2, ...body })), { mediaType: body.mediaType, algorithm });
}

/** What was read may be nested deeper than it can be written. */
function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw invalid("it cannot be written as JSON", cause);
  }
}

/** A manifest's JSON, for reading; the bytes stay what counts. */
export function manifestBody(manifest: Manifest): Readonly<Record<string, unknown>> {
  return parseBody(manifest.bytes);
}

function parseBody(bytes: Uint8Array): Record<string, unknown> {
  const body = parseJson(decodeUtf8(bytes));
  if (!isObject(body)) throw invalid("not a JSON object");
  checkNames(body, bodyNames, "it");
  return body;
}

/** A byte order mark is left in, for the JSON parser to refuse, as those of registries do. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid("not UTF-8 text", cause);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid("not JSON", cause);
  }
}

function mediaTypeOf(body: Record<string, unknown>, header: string | undefined): string {
  const own = ownMediaType(body);
  const given = header && isManifestType(header) ? header : undefined;
  if (own && given && own !== given) throw invalid(`it calls itself ${quoted(own)} but came as ${given}`);
  const mediaType = own ?? given ?? guess(body);
  if (isSchema1(mediaType) || body["schemaVersion"] === 1) {
    throw new RegistryError("UNSUPPORTED", "Docker's manifest schema 1 is not supported", {
      hint: "push the image again with a current client: registries have dropped schema 1",
    });
  }
  if (!isManifestType(mediaType)) {
    throw new RegistryError("UNSUPPORTED", `${quoted(mediaType)} is no type of manifest that Gantry knows`, {
      hint: `it reads ${manifestAccept}`,
    });
  }
  return mediaType;
}

function ownMediaType(body: Record<string, unknown>): string | undefined {
  const own = body["mediaType"] ?? "";
  if (typeof own !== "string") throw invalid("mediaType is not a text");
  return own === "" ? undefined : own;
}

/** OCI leaves `mediaType` optional in the body: the shape tells. */
function guess(body: Record<string, unknown>): string {
  if (body["schemaVersion"] === 1) return "application/vnd.docker.distribution.manifest.v1+json";
  if (Array.isArray(body["manifests"])) return mediaTypes.ociIndex;
  if (isObject(body["config"])) return mediaTypes.ociManifest;
  throw invalid("it has neither a known mediaType nor the fields of an image manifest or an index");
}

type Parts = Pick<Manifest, "manifests" | "blobs" | "config">;

/** One body must not pass for both kinds (CVE-2021-41190). */
function indexContent(body: Record<string, unknown>): Parts {
  refuseFields(body, ["config", "layers", "fsLayers"], "an index");
  const entries = parseDescriptors(body["manifests"], "manifests");
  return {
    manifests: entries.filter((entry) => isManifestType(entry.mediaType)),
    blobs: entries.filter((entry) => !isManifestType(entry.mediaType)),
  };
}

function imageContent(body: Record<string, unknown>, mediaType: string): Parts {
  refuseFields(body, ["manifests", "fsLayers"], "an image manifest");
  if (mediaType === mediaTypes.ociArtifact) return { manifests: [], blobs: parseDescriptors(body["blobs"], "blobs") };
  const config = parseDescriptor(body["config"], "config");
  return { manifests: [], blobs: [config, ...parseDescriptors(body["layers"], "layers")], config };
}

function refuseFields(body: Record<string, unknown>, fields: readonly string[], kind: string): void {
  const found = fields.find((field) => body[field] !== undefined);
  if (found !== undefined) throw invalid(`${kind} with the field ${JSON.stringify(found)}, which another kind has`);
}

function invalid(what: string, cause?: unknown): RegistryError {
  return new RegistryError("MANIFEST_INVALID", `invalid manifest: ${what}`, { cause });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
