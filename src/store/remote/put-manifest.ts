import { algorithmOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { isRegistryError } from "../../oci/error.ts";
import type { Manifest } from "../../oci/manifest.ts";
import type { Call } from "../store.ts";
import { deleteManifest } from "./delete.ts";
import { changeFallback } from "./fallback.ts";
import { getManifest, sendManifest } from "./manifests.ts";
import { hasReferrersApi } from "./referrers.ts";
import type { RemoteRepository } from "./remote.ts";

/**
 * Stores a manifest under its digest and, where given, a tag: one PUT, or two where a tag cannot name the digest's
 * algorithm. A subject's list of referrers is kept here where the registry does not say that it keeps it.
 */
export async function putManifest(
  at: RemoteRepository,
  manifest: Manifest,
  { tag, signal }: Call & { readonly tag?: string } = {},
): Promise<void> {
  const headers = await store(at, manifest, { tag, signal });
  const { subject, descriptor } = manifest;
  if (!subject) return;
  if (headers["oci-subject"] !== undefined) at.shared.referrers = "api";
  else await changeFallback(at, subject.digest, { add: descriptor }, { signal });
}

async function store(
  at: RemoteRepository,
  manifest: Manifest,
  { tag, signal }: Call & { readonly tag?: string },
): ReturnType<typeof sendManifest> {
  const { digest } = manifest.descriptor;
  if (tag === undefined) return sendManifest(at, manifest, digest, { signal });
  if (algorithmOf(digest) === "sha256") return sendManifest(at, manifest, tag, { signal });
  const headers = await sendManifest(at, manifest, digest, { signal, query: { tag } });
  const tagged = (headers["oci-tag"] ?? "").split(",").some((name) => name.trim() === tag);
  return tagged ? headers : sendManifest(at, manifest, tag, { signal });
}

/** Deletes a manifest with its tags, and takes it off the list of referrers that its subject has here. */
export async function dropManifest(at: RemoteRepository, digest: Digest, call?: Call): Promise<void> {
  const subject = at.shared.referrers === "api" ? undefined : await subjectOf(at, digest, call);
  await deleteManifest(at, digest, call);
  if (!subject || (await hasReferrersApi(at, subject.digest, call))) return;
  await changeFallback(at, subject.digest, { remove: digest }, call);
}

/** A manifest that cannot be read can still be deleted. */
async function subjectOf(at: RemoteRepository, digest: Digest, call?: Call): Promise<Descriptor | undefined> {
  try {
    return (await getManifest(at, digest, call))?.subject;
  } catch (error) {
    if (isRegistryError(error, "MANIFEST_INVALID", "UNSUPPORTED", "UNVERIFIED", "TOO_LARGE")) return undefined;
    throw error;
  }
}
