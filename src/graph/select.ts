import type { Descriptor } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import { buildManifest, manifestBody, type Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/media-types.ts";
import { choosePlatform, formatPlatform, type Platform } from "../oci/platform.ts";
import type { Call, Source } from "../store/store.ts";
import { imagePlatform } from "./config.ts";
import { manifestAt, nameOf } from "./sides.ts";

/** The annotation by which BuildKit ties an attestation in an index to the image it is about. */
const attestedDigest = "vnd.docker.reference.digest";

/**
 * What of `root` is for the given platforms: for one, the image itself; for several, an index of those, with the
 * attestations about them, which has a digest of its own; for none, `root` itself. Throws MANIFEST_UNKNOWN naming the platforms there are.
 */
export async function selectPlatforms(
  from: Source,
  root: Manifest,
  platforms: readonly Platform[],
  call?: Call,
): Promise<Manifest> {
  if (platforms.length === 0) return root;
  if (!isIndexType(root.descriptor.mediaType)) return onlyFor(from, root, platforms, call);
  const chosen = new Set(platforms.map((platform) => choose(from, root, platform)));
  if (platforms.length === 1) return manifestAt(from, [...chosen][0]!.digest, call?.signal);
  const digests = new Set([...chosen].map((one) => one.digest));
  const kept = root.manifests.filter(
    (one) => digests.has(one.digest) || digests.has(one.annotations?.[attestedDigest] as never),
  );
  if (kept.length === root.manifests.length) return root;
  const body = manifestBody(root);
  const wanted = new Set(kept.map((one) => one.digest as unknown));
  const manifests = (body["manifests"] as { digest: unknown }[]).filter((one) => wanted.has(one.digest));
  return buildManifest({ ...body, mediaType: root.descriptor.mediaType, manifests });
}

function choose(from: Source, index: Manifest, platform: Platform): Descriptor {
  const found = choosePlatform(platform, index.manifests);
  if (found) return found;
  throw absent(
    nameOf(from, index.descriptor.digest),
    platform,
    index.manifests.flatMap((one) => one.platform ?? []),
  );
}

/** A single image passes if it is for one of the platforms; an artifact, which is for none, is not asked. */
async function onlyFor(from: Source, image: Manifest, platforms: readonly Platform[], call?: Call): Promise<Manifest> {
  const platform = await imagePlatform(from, image, call);
  if (!platform || platforms.some((wanted) => choosePlatform(wanted, [{ platform }]))) return image;
  throw absent(nameOf(from, image.descriptor.digest), platforms[0]!, [platform]);
}

function absent(name: string, wanted: Platform, there: readonly Platform[]): RegistryError {
  const known = there.filter((one) => one.os !== "unknown").map(formatPlatform);
  return new RegistryError("MANIFEST_UNKNOWN", `${name} has no image for ${formatPlatform(wanted)}`, {
    side: "source",
    hint: known.length > 0 ? `it has: ${[...new Set(known)].join(", ")}` : "it names no platforms",
  });
}
