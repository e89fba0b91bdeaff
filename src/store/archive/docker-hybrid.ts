import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { isIndexType, isManifestType } from "../../oci/media-types.ts";
import { descriptorsOf, listManifest, type IndexDocument } from "../layout/index-document.ts";
import { blobPath, layoutSource, type LayoutSource } from "../layout/layout-source.ts";
import type { ArchiveFile } from "./archive-file.ts";
import type { Contents } from "./carry.ts";
import type { DockerEntry } from "./docker-manifest.ts";
import { dockerNaming } from "./docker-naming.ts";
import { archivedLayout, blobsIn } from "./layout-archive.ts";

/**
 * Reads an archive that is both an image layout and what `docker save` writes (Docker since 25, buildx, regctl, Gantry):
 * byte for byte by the layout, under the names of both; `@N` is the image that stands N-th in manifest.json, from 0.
 */
export async function hybridSource(
  archive: ArchiveFile,
  name: string,
  index: IndexDocument,
  images: readonly DockerEntry[],
): Promise<LayoutSource> {
  const source = layoutSource(
    archivedLayout(archive, name, dockerNaming, await hybridIndex(archive, name, index, images)),
  );
  let numbered: ReadonlyMap<string, Descriptor> | undefined;
  const resolve = async (ref: string): Promise<string> => {
    const number = /^@(\d{1,9})$/.exec(ref)?.[1];
    const image = number === undefined ? undefined : images[Number(number)];
    if (!image) return ref;
    numbered ??= await rootsByConfig(source, descriptorsOf(index));
    return numbered.get(image.config)?.digest ?? ref;
  };
  return {
    ...source,
    head: async (ref, call) => source.head(await resolve(ref), call),
    manifest: async (ref, call) => source.manifest(await resolve(ref), call),
  };
}

/** The index.json of such an archive, with the names that only its manifest.json has. */
async function hybridIndex(
  archive: ArchiveFile,
  name: string,
  index: IndexDocument,
  images: readonly DockerEntry[],
): Promise<IndexDocument> {
  const listed = descriptorsOf(index);
  const named = (tag: string): boolean => listed.some((entry) => dockerNaming.matches(entry, tag));
  if (images.every(({ tags }) => tags.every(named))) return index;
  const plain = layoutSource(archivedLayout(archive, name, dockerNaming, index));
  const roots = await rootsByConfig(plain, listed);
  let whole = index;
  for (const { config, tags } of images) {
    const root = roots.get(config);
    const manifest = root && (await plain.manifest(root.digest));
    if (!manifest) continue;
    for (const tag of tags.filter((tag) => !named(tag))) whole = listManifest(whole, manifest, tag, dockerNaming);
  }
  return whole;
}

/** What goes along from such an archive; throws INVALID where an image is in its manifest.json alone. */
export async function hybridContents(
  archive: ArchiveFile,
  name: string,
  index: IndexDocument,
  images: readonly DockerEntry[],
): Promise<Contents> {
  const whole = await hybridIndex(archive, name, index, images);
  const entries = descriptorsOf(whole);
  const isNamed = (tag: string): boolean => entries.some((entry) => dockerNaming.matches(entry, tag));
  const nameless = images.some(({ tags }) => tags.length === 0);
  const roots =
    nameless && (await rootsByConfig(layoutSource(archivedLayout(archive, name, dockerNaming, index)), entries));
  const lost = images.find(
    ({ config, tags }) => !tags.every(isNamed) || (roots && tags.length === 0 && !roots.has(config)),
  );
  if (!lost) return { index: whole, blobs: blobsIn(archive) };
  const message = `${name} has ${lost.tags[0] ?? lost.config} in its manifest.json alone: it would be lost`;
  throw new RegistryError("INVALID", message, { hint: "write to another file" });
}

/** Which root has an image with the config at a path. */
async function rootsByConfig(
  source: LayoutSource,
  listed: readonly Descriptor[],
): Promise<ReadonlyMap<string, Descriptor>> {
  const roots = new Map<string, Descriptor>();
  const seen = new Set<Digest>();
  const visit = async (digest: Digest, root: Descriptor): Promise<void> => {
    if (seen.has(digest)) return;
    seen.add(digest);
    const manifest = await source.manifest(digest);
    const config = manifest?.config && blobPath(manifest.config.digest);
    if (config && !roots.has(config)) roots.set(config, root);
    if (manifest && isIndexType(manifest.descriptor.mediaType)) {
      for (const child of manifest.manifests) await visit(child.digest, root);
    }
  };
  for (const root of listed) if (isManifestType(root.mediaType)) await visit(root.digest, root);
  return roots;
}
