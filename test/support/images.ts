import { createHash } from "node:crypto";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { digestOf, type DigestAlgorithm } from "../../src/oci/digest.ts";
import { buildManifest, type Manifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { formatPlatform, parsePlatform } from "../../src/oci/platform.ts";
import { contentOf } from "../../src/oci/stream.ts";
import type { Store } from "../../src/store/store.ts";

/** A blob and the descriptor that points at it. */
export interface TestBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A manifest with all that it needs: an image with its blobs, or an index with its children. */
export interface TestImage {
  readonly manifest: Manifest;
  readonly blobs: readonly TestBlob[];
  readonly children: readonly TestImage[];
}

export interface ImageOptions {
  /** Docker schema 2 media types instead of OCI ones. */
  readonly docker?: boolean;
  /** Layers: 2 unless told. */
  readonly layers?: number;
  /** Bytes in each layer: 1000 unless told. */
  readonly layerSize?: number;
  readonly platform?: string;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Bytes that look random and are the same for the same seed. */
export function randomBytes(seed: string, size: number): Uint8Array {
  return size === 0 ? new Uint8Array() : createHash("shake128", { outputLength: size }).update(seed).digest();
}

/** A blob of some bytes. */
function blobOf(bytes: Uint8Array | string, mediaType: string, algorithm?: DigestAlgorithm): TestBlob {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return { descriptor: { mediaType, digest: digestOf(content, algorithm), size: content.byteLength }, bytes: content };
}

/** A layer of random bytes; no tar, as registries and stores do not look inside. */
export function randomBlob(seed: string, size = 1000, algorithm?: DigestAlgorithm): TestBlob {
  return blobOf(randomBytes(seed, size), mediaTypes.ociLayerGzip, algorithm);
}

/** An image manifest with a config for its platform and random layers. */
export function image(seed: string, options: ImageOptions = {}): TestImage {
  const { docker = false, layers = 2, layerSize = 1000, platform = "linux/amd64", subject, annotations } = options;
  const layerType = docker ? mediaTypes.dockerLayer : mediaTypes.ociLayerGzip;
  const content = Array.from({ length: layers }, (_, i) => blobOf(randomBytes(`${seed}/${i}`, layerSize), layerType));
  const body = { ...parsePlatform(platform), rootfs: { type: "layers", diff_ids: content.map(diffId) }, seed };
  const config = blobOf(JSON.stringify(body), docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig);
  const manifest = buildManifest({
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: config.descriptor,
    layers: content.map(({ descriptor }) => descriptor),
    ...(subject && { subject: pointer(subject) }),
    ...(annotations && { annotations }),
  });
  return { manifest, blobs: [config, ...content], children: [] };
}

/** An index over images, each with the platform its config names. */
export function indexOf(children: readonly TestImage[], { docker = false, subject }: ImageOptions = {}): TestImage {
  const manifest = buildManifest({
    mediaType: docker ? mediaTypes.dockerIndex : mediaTypes.ociIndex,
    manifests: children.map(entryOf),
    ...(subject && { subject: pointer(subject) }),
  });
  return { manifest, blobs: [], children };
}

/** An index over images for linux/amd64 and linux/arm64. */
export function twoPlatforms(seed: string, options: ImageOptions = {}): TestImage {
  const of = (platform: string): TestImage => image(`${seed}/${platform}`, { ...options, platform });
  return indexOf([of("linux/amd64"), of("linux/arm64")], options);
}

/** An index that lists an image and another index. */
export function nestedIndex(seed: string): TestImage {
  return indexOf([image(`${seed}/outer`), twoPlatforms(`${seed}/inner`)]);
}

/** Indexes in one another, as many as told, and an image in the innermost. */
export function nested(seed: string, indexes: number): TestImage {
  let outermost = image(seed);
  for (let depth = 0; depth < indexes; depth++) outermost = indexOf([outermost]);
  return outermost;
}

/** An artifact attached to `subject`: an empty config and one blob. */
export function artifact(
  seed: string,
  subject: Descriptor,
  {
    type = "application/vnd.example.thing",
    annotations,
  }: { readonly type?: string; readonly annotations?: Readonly<Record<string, string>> } = {},
): TestImage {
  const config = blobOf("{}", mediaTypes.ociEmpty);
  const content = blobOf(randomBytes(seed, 200), "application/octet-stream");
  const manifest = buildManifest({
    mediaType: mediaTypes.ociManifest,
    artifactType: type,
    config: config.descriptor,
    layers: [content.descriptor],
    subject: pointer(subject),
    ...(annotations && { annotations }),
  });
  return { manifest, blobs: [config, content], children: [] };
}

/** An artifact in the manifest type that image-spec 1.1 withdrew. */
export function artifactManifest(seed: string, subject: Descriptor): TestImage {
  const content = blobOf(randomBytes(seed, 200), "application/octet-stream");
  const manifest = buildManifest({
    mediaType: mediaTypes.ociArtifact,
    artifactType: "application/vnd.example.old",
    blobs: [content.descriptor],
    subject: pointer(subject),
  });
  return { manifest, blobs: [content], children: [] };
}

/** Puts an image with all that it needs, children first. */
export async function putImage(store: Store, { manifest, blobs, children }: TestImage, tag?: string): Promise<void> {
  for (const child of children) await putImage(store, child);
  for (const { descriptor, bytes } of blobs) await store.putBlob(descriptor, contentOf(bytes));
  await store.putManifest(manifest, tag === undefined ? {} : { tag });
}

/** An image, its children and theirs, children first. */
export function allOf(image: TestImage): readonly TestImage[] {
  return [...image.children.flatMap(allOf), image];
}

function entryOf({ manifest, blobs }: TestImage): Descriptor {
  const config = manifest.config && JSON.parse(Buffer.from(blobs[0]!.bytes).toString());
  return { ...pointer(manifest.descriptor), ...(config?.os && { platform: parsePlatform(formatPlatform(config)) }) };
}

function pointer({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** What the layer would be unpacked; as it is no tar, any digest that differs by layer will do. */
function diffId({ descriptor }: TestBlob): string {
  return digestOf(descriptor.digest);
}
