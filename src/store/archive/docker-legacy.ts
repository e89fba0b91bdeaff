import { refNameAnnotation, type Descriptor } from "../../oci/descriptor.ts";
import { digester, digestOf, hexOf, isDigest, type Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { buildManifest, type Manifest } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { verified } from "../../oci/stream.ts";
import { abortable, throwIfAborted } from "../../oci/abort.ts";
import { emptyIndex, listManifest, parseJsonObject } from "../layout/index-document.ts";
import type { LayoutSource } from "../layout/layout-source.ts";
import type { Call } from "../store.ts";
import type { ArchiveFile } from "./archive-file.ts";
import type { Contents } from "./carry.ts";
import type { DockerEntry } from "./docker-manifest.ts";
import { dockerNaming, familiarName, fullName } from "./docker-naming.ts";
import { compressionOf, magicSize } from "./spool.ts";

const configLimit = 8 * 1024 * 1024;

/**
 * Reads an archive that has manifest.json alone (`docker save` before 25, `podman save`, skopeo, kaniko, Bazel). Each image
 * gets a manifest, the same for the same files: Docker's schema 2 over the config and the layers as they are stored. Layers
 * are read once for it, when their image is first asked for; one that is not what the config says is UNVERIFIED.
 */
export function legacySource(archive: ArchiveFile, name: string, images: readonly DockerEntry[]): LayoutSource {
  const files = new Map<Digest, string>();
  const layers = new Map<string, Promise<Layer>>();
  const made = new Map<DockerEntry, Promise<Manifest>>();

  const layerAt = (path: string, call: Call | undefined): Promise<Layer> =>
    cached(layers, path, () => readLayer(archive, name, path, call));
  const manifestOf = (image: DockerEntry, call: Call | undefined): Promise<Manifest> =>
    cached(made, image, async () => {
      const config = await readConfig(archive, name, image);
      const stored: Layer[] = [];
      for (const path of image.layers) stored.push(await layerAt(path, call));
      checkLayers(image, config.diffIds, stored, name);
      files.set(config.descriptor.digest, image.config);
      for (const [i, { digest }] of stored.entries()) files.set(digest, image.layers[i]!);
      return synthesize(config.descriptor, stored);
    });

  const find = async (ref: string, call: Call | undefined): Promise<Manifest | undefined> => {
    throwIfAborted(call?.signal);
    if (isDigest(ref)) {
      for (const image of images) {
        const manifest = await manifestOf(image, call);
        if (manifest.descriptor.digest === ref) return manifest;
      }
      return undefined;
    }
    const number = /^@(\d{1,9})$/.exec(ref)?.[1];
    const image =
      number === undefined
        ? images.find(({ tags }) => tags.some((tag) => fullName(tag) === fullName(ref)))
        : images[Number(number)];
    return image && manifestOf(image, call);
  };

  const fileOf = async (digest: Digest, call: Call | undefined): Promise<string | undefined> => {
    throwIfAborted(call?.signal);
    for (const image of images) {
      if (files.has(digest)) break;
      await manifestOf(image, call);
    }
    return files.get(digest);
  };

  return {
    manifest: find,
    async head(ref, call) {
      const descriptor = (await find(ref, call))?.descriptor;
      return descriptor && { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size };
    },
    async size(digest, call) {
      const file = await fileOf(digest, call);
      return file === undefined ? undefined : archive.size(file);
    },
    async blob(digest, call) {
      const file = await fileOf(digest, call);
      if (file === undefined) throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${name}`);
      const stream = archive.stream(file, { transient: call?.transient });
      return verified(abortable(stream, call?.signal), { digest, size: call?.size ?? archive.size(file) });
    },
    async *tags(call) {
      throwIfAborted(call?.signal);
      yield* [...new Set(images.flatMap(({ tags }) => tags.map(familiarName)))].sort();
    },
    async *referrers(_subject, call) {
      throwIfAborted(call?.signal);
      yield* [];
    },
    async roots(call) {
      const roots: Descriptor[] = [];
      for (const image of images) {
        const { mediaType, digest, size } = (await manifestOf(image, call)).descriptor;
        const named = image.tags.map((tag) => ({ annotations: { [refNameAnnotation]: familiarName(tag) } }));
        for (const annotations of named.length > 0 ? named : [{}])
          roots.push({ mediaType, digest, size, ...annotations });
      }
      return roots;
    },
  };
}

/**
 * What goes along from such an archive into a new one: an image layout of the same images. A name that several have is the
 * first one's, as for who reads it.
 */
export async function legacyContents(source: LayoutSource): Promise<Contents> {
  let index = emptyIndex;
  const manifests = new Map<Digest, Manifest>();
  const taken = new Set<string>();
  for (const { digest, annotations } of await source.roots()) {
    const manifest = (await source.manifest(digest))!;
    const tag = annotations?.[refNameAnnotation];
    const name = tag === undefined || taken.has(tag) ? undefined : tag;
    if (name !== undefined) taken.add(name);
    index = listManifest(index, manifest, name, dockerNaming);
    manifests.set(digest, manifest);
  }
  return { index, manifests };
}

interface Layer {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: ReturnType<typeof compressionOf>;
}

interface Config {
  readonly descriptor: Descriptor;
  readonly diffIds: readonly unknown[];
}

async function readConfig(archive: ArchiveFile, name: string, image: DockerEntry): Promise<Config> {
  const bytes = await archive.read(image.config, configLimit);
  if (!bytes)
    throw new RegistryError("CORRUPT", `${name} is corrupt: it has no ${image.config}, which its manifest.json names`);
  const digest = digestOf(bytes);
  const promised = /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/.exec(image.config)?.[1];
  if (promised !== undefined && promised !== hexOf(digest)) {
    throw new RegistryError("UNVERIFIED", `${image.config} in ${name} is corrupt: its bytes have the digest ${digest}`);
  }
  const rootfs = parseJsonObject(bytes, `${image.config} in ${name}`)["rootfs"] as { diff_ids?: unknown } | undefined;
  const diffIds = Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids : [];
  return { descriptor: { mediaType: mediaTypes.dockerConfig, digest, size: bytes.byteLength }, diffIds };
}

async function readLayer(archive: ArchiveFile, name: string, path: string, call: Call | undefined): Promise<Layer> {
  if (archive.size(path) === undefined) {
    throw new RegistryError("CORRUPT", `${name} is corrupt: it has no ${path}, which its manifest.json names`);
  }
  const state = digester();
  let compression: Layer["compression"];
  for await (const piece of abortable(archive.stream(path, { transient: true }), call?.signal)) {
    if (state.size === 0) compression = compressionOf(piece.subarray(0, magicSize));
    state.update(piece);
  }
  const { size } = state;
  return { digest: state.digest(), size, compression };
}

/** The config names the digest of each layer uncompressed: those stored so have to have it. */
function checkLayers(image: DockerEntry, diffIds: readonly unknown[], layers: readonly Layer[], name: string): void {
  if (diffIds.length !== layers.length) {
    throw new RegistryError(
      "CORRUPT",
      `${name} is corrupt: ${image.config} lists ${diffIds.length} layers, manifest.json ${layers.length}`,
    );
  }
  for (const [i, { digest, compression }] of layers.entries()) {
    if (compression || digest === diffIds[i]) continue;
    throw new RegistryError(
      "UNVERIFIED",
      `${image.layers[i]} in ${name} is corrupt: its digest is ${digest}, its config says ${String(diffIds[i])}`,
    );
  }
}

/** Docker's types; where a layer has a compression that they do not know, OCI's. */
function synthesize(config: Descriptor, layers: readonly Layer[]): Manifest {
  const docker = layers.every(({ compression }) => compression === undefined || compression === "gzip");
  const types = docker
    ? { plain: mediaTypes.dockerLayerTar, gzip: mediaTypes.dockerLayer }
    : { plain: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip };
  return buildManifest({
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: docker ? config : { ...config, mediaType: mediaTypes.ociConfig },
    layers: layers.map(({ digest, size, compression }) => ({
      mediaType:
        compression === undefined
          ? types.plain
          : compression === "gzip"
            ? types.gzip
            : `${mediaTypes.ociLayer}+${compression}`,
      size,
      digest,
    })),
  });
}

/** Work done once for a key; a failure is forgotten. */
function cached<K, T>(results: Map<K, Promise<T>>, key: K, work: () => Promise<T>): Promise<T> {
  const known = results.get(key);
  if (known) return known;
  const result = work();
  results.set(key, result);
  result.catch(() => results.delete(key));
  return result;
}
