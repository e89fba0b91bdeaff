import { isObject, type Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Manifest } from "../../oci/manifest.ts";
import { isIndexType, mediaTypes } from "../../oci/media-types.ts";
import { choosePlatform, type Platform } from "../../oci/platform.ts";
import { hasDigestTag } from "../../oci/reference.ts";
import { descriptorsOf, indexLimit, parseJson, type IndexDocument } from "../layout/index-document.ts";
import { blobPath } from "../layout/layout-source.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { dockerNaming, fullName } from "./docker-naming.ts";

/** An image in the manifest.json of what `docker save` writes: paths in the archive, and the names it has. */
export interface DockerEntry {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/** Reads an archive's manifest.json; undefined where there is none. Throws CORRUPT naming the field. */
export async function readDockerManifest(
  archive: ArchiveFile,
  name: string,
): Promise<readonly DockerEntry[] | undefined> {
  const bytes = await archive.read("manifest.json", indexLimit);
  if (!bytes) return undefined;
  const what = `manifest.json in ${name}`;
  const images = parseJson(bytes, what);
  if (!Array.isArray(images)) throw corrupt(what, "it is not a list");
  return images.map((image: unknown, i) => {
    if (!isObject(image)) throw corrupt(what, `[${i}] is not an object`);
    const { Config: config, RepoTags: tags, Layers: layers } = image;
    if (typeof config !== "string") throw corrupt(what, `[${i}].Config is not a path`);
    return { config, tags: texts(tags, `[${i}].RepoTags`, what), layers: texts(layers, `[${i}].Layers`, what) };
  });
}

/**
 * Writes a manifest.json over the images that an index.json names, each once with all its names; of an index, the image for
 * `platform`, else the first. What is no container image, or attached to one, is left to the layout's part of the archive.
 */
export function formatDockerManifest(
  index: IndexDocument,
  manifests: ReadonlyMap<Digest, Manifest>,
  platform: Platform,
  written: ReadonlySet<string> = new Set(),
): Uint8Array {
  // In full only where it was so before: podman takes a name without a registry for one of localhost.
  const spelt = (tag: string): string => (written.has(fullName(tag)) && !written.has(tag) ? fullName(tag) : tag);
  const entries = descriptorsOf(index);
  const names = dockerNaming.names(entries);
  const roots = new Map<Digest, string[]>();
  for (const [i, { digest }] of entries.entries()) {
    const name = names[i];
    if (name === undefined || !hasDigestTag(name))
      roots.set(digest, [...(roots.get(digest) ?? []), ...(name ? [name] : [])]);
  }
  const images = [...roots].flatMap(([digest, tags]) => {
    const root = manifests.get(digest);
    const image = root && (!root.subject || tags.length > 0) ? imageFor(root, manifests, platform) : undefined;
    if (!image?.config) return [];
    const layers = image.blobs.slice(1).map((layer) => blobPath(layer.digest));
    return [
      { Config: blobPath(image.config.digest), RepoTags: tags.length > 0 ? tags.map(spelt) : null, Layers: layers },
    ];
  });
  return Buffer.from(JSON.stringify(images));
}

function imageFor(root: Manifest, manifests: ReadonlyMap<Digest, Manifest>, platform: Platform): Manifest | undefined {
  const images = imagesOf(root, manifests);
  return (choosePlatform(platform, images) ?? images.find((image) => image.platform?.os !== "unknown"))?.manifest;
}

interface Candidate {
  readonly manifest: Manifest;
  readonly platform?: Platform;
}

/** The container images in an image or an index, however deep. */
function imagesOf(root: Manifest, manifests: ReadonlyMap<Digest, Manifest>, entry?: Descriptor): readonly Candidate[] {
  if (isIndexType(root.descriptor.mediaType)) {
    return root.manifests.flatMap((child) => {
      const manifest = manifests.get(child.digest);
      return manifest ? imagesOf(manifest, manifests, child) : [];
    });
  }
  const type = root.config?.mediaType;
  const isImage = type === mediaTypes.ociConfig || type === mediaTypes.dockerConfig;
  return isImage ? [{ manifest: root, ...(entry?.platform && { platform: entry.platform }) }] : [];
}

function texts(value: unknown, at: string, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw corrupt(what, `${at} is not a list of texts`);
}

function corrupt(what: string, fault: string): RegistryError {
  return new RegistryError("CORRUPT", `${what} is corrupt: ${fault}`);
}
