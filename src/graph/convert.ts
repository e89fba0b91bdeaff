import { isObject, type Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { buildManifest, manifestBody, type Manifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { checkNesting } from "./nesting.ts";

const ociTypes: ReadonlyMap<unknown, string> = new Map([
  [mediaTypes.dockerManifest, mediaTypes.ociManifest],
  [mediaTypes.dockerIndex, mediaTypes.ociIndex],
  [mediaTypes.dockerConfig, mediaTypes.ociConfig],
  [mediaTypes.dockerLayer, mediaTypes.ociLayerGzip],
  [mediaTypes.dockerLayerTar, mediaTypes.ociLayer],
  [mediaTypes.dockerForeignLayer, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"],
]);

/** Where a conversion reads children, keeps what it makes, and how it names the image in errors. */
export interface Conversion {
  readonly image: string;
  readonly fetch: (descriptor: Descriptor) => Promise<Manifest>;
  readonly keep: (made: Manifest) => void;
}

/**
 * The same image with OCI's media types in place of Docker's: blobs stay as they are, each manifest that changes gets a
 * new digest and is given to `keep`. What is OCI already is returned as it is. Throws TOO_LARGE for endless nesting.
 */
export function convertToOci(root: Manifest, { image, fetch, keep }: Conversion): Promise<Manifest> {
  const converted = new Map<Digest, Promise<Manifest>>();

  const childOf = (descriptor: Descriptor, depth: number): Promise<Manifest> => {
    const known = converted.get(descriptor.digest) ?? fetch(descriptor).then((child) => convert(child, depth));
    converted.set(descriptor.digest, known);
    return known;
  };

  async function convert(manifest: Manifest, depth: number): Promise<Manifest> {
    checkNesting(manifest, depth, image);
    const body = manifestBody(manifest);
    const children = new Map<unknown, Descriptor>(manifest.manifests.map((child) => [child.digest, child]));
    const entry = async (value: unknown): Promise<unknown> => {
      const child = isObject(value) ? children.get(value["digest"]) : undefined;
      return child ? repoint(value, (await childOf(child, depth + 1)).descriptor) : retype(value);
    };
    const changes: Record<string, unknown> = {};
    for (const field of ["config", "layers", "manifests"]) {
      const value = body[field];
      const next = Array.isArray(value) ? await Promise.all(value.map(entry)) : retype(value);
      if (!sameItems(value, next)) changes[field] = next;
    }
    const mediaType = ociTypes.get(manifest.descriptor.mediaType) ?? manifest.descriptor.mediaType;
    if (mediaType === manifest.descriptor.mediaType && Object.keys(changes).length === 0) return manifest;
    const made = buildManifest({ ...body, ...changes, mediaType });
    keep(made);
    return made;
  }

  return convert(root, 1);
}

/** An index's entry that points at what its manifest has become; the very entry where that is the same. */
function repoint(entry: unknown, { mediaType, digest, size }: Descriptor): unknown {
  return isObject(entry) && entry["digest"] === digest ? entry : { ...(entry as object), mediaType, digest, size };
}

/** A descriptor with OCI's name for its type; the very descriptor where it has that. */
function retype(value: unknown): unknown {
  const mediaType = isObject(value) ? ociTypes.get(value["mediaType"]) : undefined;
  return mediaType === undefined ? value : { ...(value as object), mediaType };
}

function sameItems(before: unknown, after: unknown): boolean {
  if (!Array.isArray(before) || !Array.isArray(after)) return before === after;
  return before.every((item, i) => item === after[i]);
}
