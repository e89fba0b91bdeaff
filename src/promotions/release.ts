import { semaphore } from "../graph/semaphore.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { imageConfig } from "../graph/config.ts";
import { versionIn } from "../policy/promote/template.ts";
import { compareVersions } from "../policy/version.ts";
import type { Call, Source } from "../store/store.ts";
import { readReceipts } from "./read-receipts.ts";

/** How many tags are asked for what they name. */
const most = 100;
const atOnce = 8;
const label = "org.opencontainers.image.version";

/** An image: its manifest, and of an index that of its first image. */
export interface Built {
  readonly manifest: Manifest;
  readonly image: Manifest;
}

async function readBuilt(from: Source, digest: Digest, call?: Call): Promise<Built | undefined> {
  const manifest = await from.manifest(digest, call);
  if (!manifest) return undefined;
  const [first] = manifest.manifests;
  return { manifest, image: (first && (await from.manifest(first.digest, call))) ?? manifest };
}

/**
 * The version of an image: its tag, if that is one; else what its last receipt says; else the tag of a version that names it;
 * else what it says itself, which comes last because a label may be its base image's. Undefined where nothing tells.
 */
export async function releaseOf(
  from: Source,
  digest: Digest,
  tag: string | undefined,
  call: Call = {},
): Promise<string | undefined> {
  if (versionIn(tag)) return tag;
  const receipts = await readReceipts(from, digest, call);
  const told = receipts.find(({ receipt }) => receipt.release !== undefined)?.receipt.release;
  return told ?? (await versionTag(from, digest, call)) ?? (await ownVersion(from, digest, call));
}

/** The tag of a whole version that names a digest; the newest are asked first. */
async function versionTag(from: Source, digest: Digest, call: Call): Promise<string | undefined> {
  const versions = [];
  try {
    for await (const tag of from.tags(call)) {
      const version = versionIn(tag);
      if (version) versions.push(version);
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  const tags = versions.sort((a, b) => compareVersions(b, a)).slice(0, most);
  const room = semaphore(atOnce);
  let found = tags.length;
  await Promise.all(
    tags.map(({ tag }, i) =>
      room(async () => {
        if (i < found && (await from.head(tag, call))?.digest === digest) found = Math.min(found, i);
      }),
    ),
  );
  return tags[found]?.tag;
}

async function ownVersion(from: Source, digest: Digest, call: Call): Promise<string | undefined> {
  const built = await readBuilt(from, digest, call);
  if (!built) return undefined;
  const { manifest, image } = built;
  const noted = manifest.descriptor.annotations?.[label] ?? image.descriptor.annotations?.[label];
  const said = noted ?? (image.config && (await imageConfig(from, image, call)).config?.config?.Labels?.[label]);
  return versionIn(said) ? said : undefined;
}

/** When an image says that it was built; milliseconds since 1970. */
export async function builtAt(from: Source, digest: Digest, call?: Call): Promise<number | undefined> {
  const built = await readBuilt(from, digest, call);
  if (!built) return undefined;
  const { manifest, image } = built;
  const name = "org.opencontainers.image.created";
  const noted = manifest.descriptor.annotations?.[name];
  const said = noted ?? (image.config && (await imageConfig(from, image, call)).config?.created);
  const time = Date.parse(said ?? "");
  return Number.isNaN(time) ? undefined : time;
}
