import type { Descriptor } from "../oci/descriptor.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { buildManifest, type Manifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { contentOf, type Content } from "../oci/stream.ts";
import type { Call, Store } from "../store/store.ts";
import { manifestAt } from "./sides.ts";

/** The annotation that carries a file's name (image-spec, "Annotations"). */
export const titleAnnotation = "org.opencontainers.image.title";

/** One file of an artifact. */
export interface ArtifactFile {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly content: Content;
  readonly mediaType: string;
  /** Its name, without a path. */
  readonly title?: string;
}

export interface Artifact {
  readonly artifactType: string;
  readonly files: readonly ArtifactFile[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A file of an artifact whose bytes are in memory. */
export function artifactFile(bytes: Uint8Array, mediaType: string, title?: string): ArtifactFile {
  return {
    digest: digestOf(bytes),
    size: bytes.byteLength,
    content: contentOf(bytes),
    mediaType,
    ...(title && { title }),
  };
}

/** What stands in for a config, and for files where there are none (image-spec, "Guidance for an Empty Descriptor"). */
const emptyFile = (): ArtifactFile => artifactFile(Buffer.from("{}"), mediaTypes.ociEmpty);

/** The manifest of an artifact, attached to `on` where that is given; equal artifacts have equal manifests. Throws INVALID. */
export function artifactManifest({ artifactType, files, annotations }: Artifact, on?: Descriptor): Manifest {
  if (!/^\w[\w.+!#$&^-]*\/\w[\w.+!#$&^-]*$/.test(artifactType)) {
    throw new RegistryError("INVALID", `${JSON.stringify(artifactType)} is no media type`, {
      hint: "write type/subtype, such as application/spdx+json",
    });
  }
  const empty = emptyFile();
  const blobs = files.length > 0 ? files : [empty];
  return buildManifest({
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: { mediaType: empty.mediaType, digest: empty.digest, size: empty.size },
    layers: blobs.map(({ mediaType, digest, size, title }) => ({
      mediaType,
      digest,
      size,
      ...(title && { annotations: { [titleAnnotation]: title } }),
    })),
    ...(on && { subject: { mediaType: on.mediaType, digest: on.digest, size: on.size } }),
    ...(annotations && { annotations }),
  });
}

/**
 * Puts an artifact into a repository: as a referrer of `subject` (a tag or digest) where one is given, and under `tag`
 * where one is (image-spec, "Guidelines for Artifact Usage"). Throws MANIFEST_UNKNOWN where the subject is not there.
 */
export async function attach(
  store: Store,
  artifact: Artifact,
  { subject, tag, signal }: Call & { readonly subject?: string; readonly tag?: string },
): Promise<Descriptor> {
  const on = subject === undefined ? undefined : (await manifestAt(store, subject, signal)).descriptor;
  const manifest = artifactManifest(artifact, on);
  for (const { digest, size, content } of [emptyFile(), ...artifact.files])
    await store.putBlob({ digest, size }, content, { signal });
  await store.putManifest(manifest, { signal, ...(tag !== undefined && { tag }) });
  return manifest.descriptor;
}
