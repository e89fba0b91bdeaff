import type { Descriptor } from "../../oci/descriptor.ts";
import { algorithmOf, digestOf, isDigest, type Digest } from "../../oci/digest.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { manifestLimit, parseManifest, type Manifest } from "../../oci/manifest.ts";
import { bareMediaType, isManifestType, manifestAccept } from "../../oci/media-types.ts";
import { isTag } from "../../oci/reference.ts";
import { contentOf } from "../../oci/stream.ts";
import { discard, type Res } from "../../transport/transport.ts";
import type { Call } from "../store.ts";
import { failure, refusePage, type Attempt } from "./answer.ts";
import { contentLength, getWhole, type RemoteRepository } from "./remote.ts";

const headers = { accept: manifestAccept };
/** Statuses after which a GET is worth it: some registries refuse HEAD alone, and its answer has no words. */
const headRefused: readonly number[] = [400, 403, 405, 406, 501];

/** Resolves a tag or digest by HEAD; by GET where the answer to that does not say enough. */
export async function headManifest(at: RemoteRepository, ref: string, call?: Call): Promise<Descriptor | undefined> {
  const attempt = reading(at, ref);
  const response = await at.send({ method: "HEAD", url: manifestUrl(at, ref), headers, signal: call?.signal }, attempt);
  if (response.status === 200) {
    await discard(response);
    return described(response, ref) ?? (await getManifest(at, ref, call))?.descriptor;
  }
  if (headRefused.includes(response.status)) {
    await discard(response);
    return (await getManifest(at, ref, call))?.descriptor;
  }
  const error = await failure(response, attempt);
  if (response.status === 404) return undefined;
  throw error;
}

function described(response: Res, ref: string): Descriptor | undefined {
  const size = contentLength(response);
  const mediaType = bareMediaType(response.headers["content-type"]);
  const digest = describedDigest(response, ref);
  if (size === undefined || digest === undefined || !isManifestType(mediaType)) return undefined;
  return { mediaType, digest, size };
}

/** What was asked for by digest needs no header, but must not have one that says otherwise. */
function describedDigest(response: Res, ref: string): Digest | undefined {
  const told = digestHeader(response);
  if (!isDigest(ref)) return told;
  return told === undefined || told === ref || algorithmOf(told) !== algorithmOf(ref) ? ref : undefined;
}

/** Fetches a manifest in one GET; its bytes have the digest that was asked for, or that the registry gave with the tag. */
export async function getManifest(at: RemoteRepository, ref: string, call?: Call): Promise<Manifest | undefined> {
  const attempt = reading(at, ref);
  const request = { url: manifestUrl(at, ref), headers, signal: call?.signal };
  const { response, bytes } = await getWhole(at, request, manifestLimit, attempt);
  if (response.status !== 200) {
    const error = await failure(response, attempt);
    if (response.status === 404) return undefined;
    throw error;
  }
  refusePage(response, bytes, attempt);
  const told = digestHeader(response);
  const mediaType = bareMediaType(response.headers["content-type"]);
  try {
    if (isDigest(ref)) return parseManifest(bytes, { mediaType, digest: ref });
    if (told) checkTold(bytes, told, ref);
    return parseManifest(bytes, { mediaType, algorithm: told && algorithmOf(told) });
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    const { code, message, hint, cause } = error;
    throw new RegistryError(code, `cannot ${attempt.what}: ${message}`, { host: at.registry, hint, cause });
  }
}

function checkTold(bytes: Uint8Array, told: Digest, tag: string): void {
  const actual = digestOf(bytes, algorithmOf(told));
  if (actual === told) return;
  throw new RegistryError(
    "UNVERIFIED",
    `the registry says that ${tag} is ${told}, but its ${bytes.byteLength} bytes have the digest ${actual}`,
  );
}

/** Stores a manifest's very bytes under `ref` and gives the answer's headers. */
export async function sendManifest(
  at: RemoteRepository,
  { descriptor, bytes }: Pick<Manifest, "descriptor" | "bytes">,
  ref: string,
  { signal, query }: Call & { readonly query?: Readonly<Record<string, string>> } = {},
): Promise<Res["headers"]> {
  if (digestOf(bytes, algorithmOf(descriptor.digest)) !== descriptor.digest) {
    throw new RegistryError("DIGEST_INVALID", `the bytes of manifest ${descriptor.digest} have another digest`);
  }
  const attempt: Attempt = { what: `write manifest ${ref} to ${at.name}`, host: at.registry, absent: "NAME_UNKNOWN" };
  const response = await at.send(
    {
      method: "PUT",
      url: manifestUrl(at, ref, query),
      headers: { "content-type": descriptor.mediaType },
      body: { size: bytes.byteLength, open: contentOf(bytes) },
      signal,
    },
    attempt,
  );
  if (response.status < 200 || response.status > 299) throw await failure(response, attempt);
  await discard(response);
  const told = digestHeader(response);
  if (told && algorithmOf(told) === algorithmOf(descriptor.digest) && told !== descriptor.digest) {
    throw new RegistryError("UNVERIFIED", `${at.name} stored manifest ${descriptor.digest} as ${told}`, {
      host: at.registry,
      hint: "the registry, or a proxy before it, changes manifests",
    });
  }
  return response.headers;
}

/** The registry's own word on what a response is about. */
export function digestHeader(response: Res): Digest | undefined {
  const value = response.headers["docker-content-digest"]?.trim();
  return value !== undefined && isDigest(value) ? value : undefined;
}

/** Where a tag or digest answers; throws INVALID for what is neither, and would lead elsewhere in a URL. */
export function manifestUrl(at: RemoteRepository, ref: string, query?: Readonly<Record<string, string>>): URL {
  if (isDigest(ref) || isTag(ref)) return at.url(`manifests/${ref}`, query);
  throw new RegistryError("INVALID", `${JSON.stringify(ref)} is neither a tag nor a digest`);
}

function reading(at: RemoteRepository, ref: string): Attempt {
  return { what: `read manifest ${ref} of ${at.name}`, host: at.registry, absent: "MANIFEST_UNKNOWN" };
}
