/** The media types of image-spec ("Media Types") and of Docker's image manifest v2 schema 2. */
export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  /** The empty JSON object `{}`, standing where a config or layer has nothing to say. */
  ociEmpty: "application/vnd.oci.empty.v1+json",
  /** Withdrawn from image-spec 1.1, still stored in registries. */
  ociArtifact: "application/vnd.oci.artifact.manifest.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayerTar: "application/vnd.docker.image.rootfs.diff.tar",
  dockerForeignLayer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
} as const;

const schema1 = [
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];
const imageTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];

/** The manifest types Gantry reads, as an Accept header. */
export const manifestAccept: string = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
  mediaTypes.ociArtifact,
].join(", ");

/** Whether it names an index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return indexTypes.includes(mediaType);
}

/** Whether it names a manifest of one image (or of an artifact in an image manifest). */
export function isImageManifestType(mediaType: string): boolean {
  return imageTypes.includes(mediaType);
}

/** Whether content of this type is stored and asked for as a manifest rather than as a blob. */
export function isManifestType(mediaType: string): boolean {
  return (
    isIndexType(mediaType) ||
    isImageManifestType(mediaType) ||
    mediaType === mediaTypes.ociArtifact ||
    isSchema1(mediaType)
  );
}

/** Docker's manifest schema 1, which registries stopped serving: Gantry names it in errors and does not read it. */
export function isSchema1(mediaType: string): boolean {
  return schema1.includes(mediaType);
}

/** Whether a layer of this type may not be pushed to a registry (image-spec, "Non-Distributable Layers"; Docker's foreign layers). */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes(".nondistributable.") || mediaType.includes(".rootfs.foreign.");
}

/** A Content-Type header's media type, without its parameters and in lower case. */
export function bareMediaType(header: string | undefined): string {
  return (header ?? "").split(";", 1)[0]!.trim().toLowerCase();
}
