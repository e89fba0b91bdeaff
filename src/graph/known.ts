import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Held } from "./inventory.ts";

/** What the bytes of a manifest say: always the same for a digest. */
export interface Content extends Pick<
  Held,
  "digest" | "mediaType" | "artifactType" | "size" | "blobs" | "children" | "subject" | "platforms"
> {
  readonly config?: Descriptor;
  /** When its annotations say that it was built. */
  readonly noted?: string;
}

/** What is known of manifests from reading before, so that nothing is fetched twice; safe to share among repositories. */
export interface Known {
  content(digest: Digest): Content | undefined;
  learn(manifest: Manifest): Content;
  /** Whether a repository was seen to have a manifest; without a digest, any. */
  wasIn(repository: string, digest?: Digest): boolean;
  saw(repository: string, digest: Digest): void;
  /** A manifest was deleted. */
  forget(repository: string, digest: Digest): void;
  /** When images were built, by the digests of their configs; null where a config does not say it. */
  readonly built: Map<Digest, string | null>;
}

const limit = 200_000;

/** Nothing known yet. What is learned beyond 200,000 manifests pushes out what was learned first. */
export function knownManifests(): Known {
  const contents = new Map<Digest, Content>();
  const places = new Map<string, Set<Digest>>();
  // Layers are shared by many images: one object and one text for each.
  const blobs = new Map<Digest, Held["blobs"][number]>();
  const blobOf = ({ digest, size }: Held["blobs"][number]): Held["blobs"][number] => {
    const same = blobs.get(digest);
    if (same?.size === size) return same;
    const fresh = { digest, size };
    blobs.set(digest, fresh);
    return fresh;
  };
  let seen = 0;
  return {
    content: (digest) => contents.get(digest),
    learn(manifest) {
      const content = contentOf(manifest, blobOf);
      contents.set(content.digest, content);
      if (contents.size > limit) contents.delete(contents.keys().next().value!);
      if (blobs.size > 10 * limit) blobs.clear();
      return content;
    },
    wasIn: (repository, digest) =>
      digest === undefined ? places.has(repository) : Boolean(places.get(repository)?.has(digest)),
    saw(repository, digest) {
      if (seen > 10 * limit) {
        places.clear();
        seen = 0;
      }
      const place = places.get(repository) ?? new Set();
      if (!place.has(digest)) seen += 1;
      places.set(repository, place.add(digest));
    },
    forget: (repository, digest) => void places.get(repository)?.delete(digest),
    built: new Map(),
  };
}

function contentOf(manifest: Manifest, blobOf: (blob: Held["blobs"][number]) => Held["blobs"][number]): Content {
  const { descriptor, config } = manifest;
  const { digest, mediaType, size, artifactType, annotations } = descriptor;
  const platforms = manifest.manifests.flatMap(({ platform }) =>
    platform && platform.os !== "unknown" ? [formatPlatform(platform)] : [],
  );
  const noted = annotations?.["org.opencontainers.image.created"];
  return {
    digest,
    mediaType,
    size,
    blobs: manifest.blobs.map(blobOf),
    children: manifest.manifests.map((child) => child.digest),
    ...(artifactType !== undefined && { artifactType }),
    ...(manifest.subject && { subject: manifest.subject.digest }),
    ...(platforms.length > 0 && { platforms }),
    ...(config && { config: { mediaType: config.mediaType, ...blobOf(config) } }),
    ...(noted !== undefined && { noted }),
  };
}
