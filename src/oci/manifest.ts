import { parseAnnotations, parseDescriptor, parseDescriptors, isObject, type Descriptor } from "./descriptor.ts";
import { algorithmOf, digestOf, type Digest, type DigestAlgorithm } from "./digest.ts";
import { RegistryError } from "./error.ts";
import { isImageManifestType, isIndexType, isManifestType, isSchema1, mediaTypes } from "./media-types.ts";

/** The most a manifest may weigh, in bytes: what registries accept (distribution-spec, "Pushing Manifests"). */
export const manifestLimit: number = 4 * 1024 * 1024;

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
  const annotations =
    body["annotations"] === undefined ? undefined : parseAnnotations(body["annotations"], "annotations");
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

/** Writes a manifest body as canonical JSON text and reads it back, so that bytes and fields agree. */
export function buildManifest(
  body: { readonly mediaType: string } & Readonly<Record<string, unknown>>,
  algorithm?: DigestAlgorithm,
): Manifest {
  return parseManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, ...body })), {
    mediaType: body.mediaType,
    algorithm,
  });
}

/** A manifest's JSON, for reading; the bytes stay what counts. */
export function manifestBody(manifest: Manifest): Readonly<Record<string, unknown>> {
  return parseBody(manifest.bytes);
}

function parseBody(bytes: Uint8Array): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RegistryError("MANIFEST_INVALID", `invalid manifest: not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isObject(body)) throw new RegistryError("MANIFEST_INVALID", "invalid manifest: not a JSON object");
  return body;
}

function mediaTypeOf(body: Record<string, unknown>, header: string | undefined): string {
  const own = typeof body["mediaType"] === "string" && body["mediaType"] !== "" ? body["mediaType"] : undefined;
  const given = header && isManifestType(header) ? header : undefined;
  if (own && given && own !== given) {
    throw new RegistryError("MANIFEST_INVALID", `invalid manifest: it calls itself ${own} but came as ${given}`);
  }
  const mediaType = own ?? given ?? guess(body);
  if (isSchema1(mediaType) || body["schemaVersion"] === 1) {
    throw new RegistryError("UNSUPPORTED", "Docker's manifest schema 1 is not supported", {
      hint: "push the image again with a current client: registries have dropped schema 1",
    });
  }
  return mediaType;
}

/** OCI leaves `mediaType` optional in the body: the shape tells. */
function guess(body: Record<string, unknown>): string {
  if (body["schemaVersion"] === 1) return "application/vnd.docker.distribution.manifest.v1+json";
  if (Array.isArray(body["manifests"])) return mediaTypes.ociIndex;
  if (isObject(body["config"])) return mediaTypes.ociManifest;
  throw new RegistryError(
    "MANIFEST_INVALID",
    "invalid manifest: it has neither a known mediaType nor the fields of an image manifest or an index",
  );
}

type Parts = Pick<Manifest, "manifests" | "blobs" | "config">;

/** One body must not pass for both kinds (CVE-2021-41190). */
function indexContent(body: Record<string, unknown>): Parts {
  if (body["layers"] !== undefined || body["config"] !== undefined || body["fsLayers"] !== undefined) {
    throw new RegistryError("MANIFEST_INVALID", "invalid manifest: an index with config or layers");
  }
  const entries = parseDescriptors(body["manifests"], "manifests");
  return {
    manifests: entries.filter((entry) => isManifestType(entry.mediaType)),
    blobs: entries.filter((entry) => !isManifestType(entry.mediaType)),
  };
}

function imageContent(body: Record<string, unknown>, mediaType: string): Parts {
  if (body["manifests"] !== undefined || body["fsLayers"] !== undefined) {
    throw new RegistryError("MANIFEST_INVALID", "invalid manifest: an image manifest with the fields of an index");
  }
  if (mediaType === mediaTypes.ociArtifact) return { manifests: [], blobs: parseDescriptors(body["blobs"], "blobs") };
  if (!isImageManifestType(mediaType)) return { manifests: [], blobs: [] };
  const config = parseDescriptor(body["config"], "config");
  return { manifests: [], blobs: [config, ...parseDescriptors(body["layers"], "layers")], config };
}
