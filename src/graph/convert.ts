import type { Descriptor } from "../oci/descriptor.ts";
import { buildManifest, manifestBody, type Manifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";

const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerManifest]: mediaTypes.ociManifest,
  [mediaTypes.dockerIndex]: mediaTypes.ociIndex,
  [mediaTypes.dockerConfig]: mediaTypes.ociConfig,
  [mediaTypes.dockerLayer]: mediaTypes.ociLayerGzip,
  [mediaTypes.dockerLayerTar]: mediaTypes.ociLayer,
  [mediaTypes.dockerForeignLayer]: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

/**
 * The same image with OCI's media types in place of Docker's: blobs stay as they are, each manifest that changes gets a
 * new digest and is given to `keep`. What is OCI already is returned as it is.
 */
export async function convertToOci(
  root: Manifest,
  fetch: (descriptor: Descriptor) => Promise<Manifest>,
  keep: (made: Manifest) => void,
): Promise<Manifest> {
  const body = manifestBody(root);
  const changes: Record<string, unknown> = {};
  for (const field of ["config", "layers"] as const) {
    if (body[field] !== undefined) changes[field] = retype(body[field]);
  }
  if (root.manifests.length > 0) changes["manifests"] = await convertChildren(body, root, fetch, keep);
  const mediaType = ociTypes[root.descriptor.mediaType] ?? root.descriptor.mediaType;
  const next = { ...body, ...changes, mediaType };
  if (mediaType === root.descriptor.mediaType && JSON.stringify(next) === JSON.stringify({ ...body, mediaType }))
    return root;
  const made = buildManifest(next);
  keep(made);
  return made;
}

async function convertChildren(
  body: Readonly<Record<string, unknown>>,
  index: Manifest,
  fetch: (descriptor: Descriptor) => Promise<Manifest>,
  keep: (made: Manifest) => void,
): Promise<unknown[]> {
  const known = new Map(index.manifests.map((child) => [child.digest as unknown, child]));
  return Promise.all(
    (body["manifests"] as { digest: unknown }[]).map(async (entry) => {
      const child = known.get(entry.digest);
      if (!child) return retype(entry);
      const { mediaType, digest, size } = (await convertToOci(await fetch(child), fetch, keep)).descriptor;
      return { ...entry, mediaType, digest, size };
    }),
  );
}

/** A descriptor, or a list of them, with OCI's name for its type. */
function retype(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(retype);
  const descriptor = value as { mediaType: string };
  return { ...descriptor, mediaType: ociTypes[descriptor.mediaType] ?? descriptor.mediaType };
}
