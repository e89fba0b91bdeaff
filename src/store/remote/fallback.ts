import type { Descriptor } from "../../oci/descriptor.ts";
import { algorithmOf, digestOf, hexOf, type Digest } from "../../oci/digest.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { buildManifest, manifestLimit, type Manifest } from "../../oci/manifest.ts";
import { isIndexType, mediaTypes } from "../../oci/media-types.ts";
import type { Call } from "../store.ts";
import { deleteManifest } from "./delete.ts";
import { getManifest, headManifest, sendManifest } from "./manifests.ts";
import { pauseAfter, type RemoteRepository } from "./remote.ts";

/** The tag whose index lists the referrers of a subject (distribution-spec, "Referrers Tag Schema"). */
export function fallbackTag(subject: Digest): string {
  return `${algorithmOf(subject)}-${hexOf(subject).slice(0, 64)}`;
}

/** The referrers that the tag's index lists; none where there is no such tag. */
export async function readFallback(at: RemoteRepository, subject: Digest, call?: Call): Promise<readonly Descriptor[]> {
  const index = await findIndex(at, subject, call);
  return index ? [...index.manifests, ...index.blobs] : [];
}

/** So often may others have come between. */
const mostTries = 5;

export interface FallbackChange {
  readonly add?: Descriptor;
  readonly remove?: Digest;
}

/**
 * Changes the index under the tag: read, write, and read again, for another writer may have come between; then once
 * more. Changes of one subject in this process go one after the other.
 */
export function changeFallback(
  at: RemoteRepository,
  subject: Digest,
  change: FallbackChange,
  call?: Call,
): Promise<void> {
  return at.shared.exclusive(`referrers of ${at.repository}@${subject}`, async () => {
    for (let tries = 1; ; tries++) {
      if (await tryChange(at, subject, change, call)) return;
      if (tries === mostTries) {
        throw new RegistryError(
          "CONFLICT",
          `others keep changing ${at.name}:${fallbackTag(subject)}, the list of referrers of ${subject}`,
          {
            host: at.registry,
            retryable: true,
          },
        );
      }
      await pauseAfter(at, tries, call);
    }
  });
}

/** One read and write; false where the tag did not stay what was written. */
async function tryChange(
  at: RemoteRepository,
  subject: Digest,
  { add, remove }: FallbackChange,
  call?: Call,
): Promise<boolean> {
  const tag = fallbackTag(subject);
  const before = await readFallback(at, subject, call);
  if (add && before.some(({ digest }) => digest === add.digest)) return true;
  const after = [...before.filter(({ digest }) => digest !== remove), ...(add ? [add] : [])];
  if (after.length === before.length) return true;
  if (after.length === 0 && (await dropTag(at, tag, call))) return true;
  const index = buildManifest({ mediaType: mediaTypes.ociIndex, manifests: after });
  if (index.bytes.byteLength > manifestLimit) {
    throw new RegistryError(
      "TOO_LARGE",
      `${at.name}:${tag}, the list of referrers of ${subject}, has no room for another`,
      { host: at.registry },
    );
  }
  await sendManifest(at, index, tag, call);
  return (await headManifest(at, tag, call))?.digest === index.descriptor.digest;
}

/** A list that became empty goes with its tag, where the registry can delete one. */
async function dropTag(at: RemoteRepository, tag: string, call?: Call): Promise<boolean> {
  try {
    await deleteManifest(at, tag, call);
    return true;
  } catch (error) {
    if (isRegistryError(error, "UNSUPPORTED", "DENIED", "UNAUTHORIZED")) return false;
    throw error;
  }
}

async function findIndex(at: RemoteRepository, subject: Digest, call?: Call): Promise<Manifest | undefined> {
  const index = await getManifest(at, fallbackTag(subject), call);
  if (!index || (await isSubjectItself(at, subject, index, call))) return undefined;
  if (isIndexType(index.descriptor.mediaType)) return index;
  throw new RegistryError(
    "CONFLICT",
    `${at.name}:${fallbackTag(subject)} should be a list of referrers and is ${index.descriptor.mediaType}`,
    {
      host: at.registry,
      hint: "delete that tag, or move it to another name",
    },
  );
}

/**
 * Some registries read the tag `sha256-<hex>` as the digest and answer with the subject: its children would pass for its
 * referrers. Entries with a platform are what gives an image index away.
 */
async function isSubjectItself(at: RemoteRepository, subject: Digest, index: Manifest, call?: Call): Promise<boolean> {
  if (digestOf(index.bytes, algorithmOf(subject)) === subject) return true;
  if (!index.manifests.some(({ platform, digest }) => platform !== undefined || digest === subject)) return false;
  const children = new Set((await getManifest(at, subject, call))?.manifests.map(({ digest }) => digest));
  return index.manifests.some(({ digest }) => digest === subject || children.has(digest));
}
