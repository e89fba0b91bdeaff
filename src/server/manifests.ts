import { isDigest, parseDigest, type Digest } from "../oci/digest.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import { parseManifest, type Manifest } from "../oci/manifest.ts";
import { bareMediaType, isForeignLayer, isManifestType } from "../oci/media-types.ts";
import { isTag } from "../oci/reference.ts";
import { collect } from "../oci/stream.ts";
import { contentReply, isSame, present } from "./blobs.ts";
import { configFacts } from "./config-facts.ts";
import type { Context, Exchange } from "./context.ts";
import { guardJson } from "./json-guard.ts";
import { emptyReply, faultReply, type Reply, type ServerRequest } from "./message.ts";
import { queryOf } from "./route.ts";

/** The most tags that one push may set by `?tag=` (distribution-spec, end-7b, asks for ten at least). */
const tagsLimit = 100;

/** GET and HEAD of a manifest by tag or digest, whatever the Accept header says. */
export async function getManifest({ request, route: { name, ref } }: Exchange, context: Context): Promise<Reply> {
  const { metadata } = context;
  checkReference(ref);
  const found = metadata.manifest(name, ref);
  const manifest = found instanceof Promise ? await found : found;
  if (!manifest) return unknownManifest(name, ref);
  if (request.method === "GET" && context.extension && !context.readOnly) metadata.notePull(name, manifest);
  const { digest, mediaType, size } = manifest.descriptor;
  const unchanged = request.headers["if-none-match"];
  if (unchanged !== undefined && isSame(unchanged, digest))
    return emptyReply(304, { etag: `"${digest}"`, "docker-content-digest": digest });
  return contentReply(digest, mediaType, size, undefined, manifest.bytes);
}

/** PUT of a manifest: checks it, that all it needs is there, and points its tags at it in the same transaction. */
export async function putManifest({ request, route: { name, ref }, user }: Exchange, context: Context): Promise<Reply> {
  checkReference(ref);
  const extraTags = queryOf(request.target).getAll("tag");
  if (extraTags.length > tagsLimit)
    return faultReply(414, "TAG_INVALID", `${extraTags.length} tags in one push, ${tagsLimit} are allowed`);
  for (const tag of extraTags) checkTag(tag);
  const bytes = await readBody(request, context.manifestLimit);
  const manifest = checkManifest(bytes, request.headers["content-type"], isDigest(ref) ? ref : undefined);
  const needs = context.sparse ? [] : neededBy(manifest);
  await checkSizes(name, manifest, context);
  const tags = [...new Set(isDigest(ref) ? extraTags : [ref, ...extraTags])];
  const { descriptor, subject } = manifest;
  const missing = await context.metadata.putManifest(
    name,
    { descriptor, bytes, ...(subject && { subject: subject.digest }), ...(await configFacts(name, manifest, context)) },
    { tags, needs },
  );
  if (missing) return missingContent(name, missing);
  const { digest, mediaType, size } = descriptor;
  context.emit?.({
    type: "manifest-pushed",
    repository: name,
    digest,
    mediaType,
    size,
    tags,
    ...(subject && { subject: subject.digest }),
    ...(user !== undefined && { user }),
  });
  return emptyReply(201, {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject && { "oci-subject": subject.digest }),
    ...(extraTags.length > 0 && { "oci-tag": extraTags.join(", ") }),
  });
}

/** DELETE of a tag, which leaves the manifest, or of a digest, which takes its tags along. */
export async function deleteManifest(
  { route: { name, ref }, user }: Exchange,
  { metadata, emit }: Context,
): Promise<Reply> {
  checkReference(ref);
  const who = { repository: name, ...(user !== undefined && { user }) };
  if (isDigest(ref)) {
    if (!(await metadata.deleteManifest(name, ref))) return unknownManifest(name, ref);
    emit?.({ type: "manifest-deleted", digest: ref, ...who });
  } else {
    if (!(await metadata.deleteTag(name, ref))) return unknownManifest(name, ref);
    emit?.({ type: "tag-deleted", tag: ref, ...who });
  }
  return emptyReply(202);
}

function checkReference(ref: string): void {
  if (isDigest(ref)) return;
  if (ref.includes(":")) parseDigest(ref);
  checkTag(ref);
}

function checkTag(tag: string): void {
  if (isTag(tag)) return;
  throw new RegistryError("MANIFEST_INVALID", `${JSON.stringify(tag.slice(0, 140))} can be no tag`, {
    status: 400,
    hint: "a tag has up to 128 letters, digits, '_', '.' and '-', and starts with none of the last two",
  });
}

/** Refuses what is too large by its announced length, before a byte of it is read. */
async function readBody(request: ServerRequest, limit: number): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > limit) {
    throw new RegistryError("TOO_LARGE", `the manifest is larger than the ${limit} bytes allowed for it`);
  }
  return collect(request.body(), limit, "the manifest");
}

function checkManifest(bytes: Uint8Array, contentType: string | undefined, digest: Digest | undefined): Manifest {
  guardJson(bytes);
  const given = bareMediaType(contentType);
  const manifest = parse(bytes, given, digest);
  const { mediaType } = manifest.descriptor;
  if (!isManifestType(mediaType)) throw invalid(`${mediaType} is no type of manifest`);
  if (given !== "" && given !== mediaType) throw invalid(`it is a ${mediaType} but came as ${given}`);
  for (const { urls = [] } of manifest.blobs) {
    const odd = urls.find((url) => !/^https?:\/\/[^/@]+(?:\/|$)/i.test(url));
    if (odd !== undefined) throw invalid(`${JSON.stringify(odd.slice(0, 200))} is no address of a layer`);
  }
  return manifest;
}

function parse(bytes: Uint8Array, mediaType: string, digest: Digest | undefined): Manifest {
  try {
    return parseManifest(bytes, { mediaType, ...(digest && { digest }) });
  } catch (error) {
    if (!isRegistryError(error, "UNSUPPORTED")) throw error;
    throw new RegistryError("MANIFEST_INVALID", error.message, {
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    });
  }
}

/** All but foreign layers, which are fetched from elsewhere, and the subject, which may come later. */
function neededBy(manifest: Manifest): readonly Digest[] {
  const blobs = manifest.blobs.filter((blob) => !isForeignLayer(blob.mediaType));
  return [...new Set([...blobs, ...manifest.manifests].map((needed) => needed.digest))];
}

/** What is there must be as large as the manifest says, in the storage itself and not only in the records. */
async function checkSizes(name: string, manifest: Manifest, context: Context): Promise<void> {
  for (const { digest, size } of [...manifest.blobs, ...manifest.manifests]) {
    const blob = await context.metadata.blob(name, digest);
    const there = blob ?? (await context.metadata.manifest(name, digest))?.descriptor.size;
    if (there === undefined) continue;
    if (there !== size) throw new RegistryError("SIZE_INVALID", `${digest} has ${there} bytes, not ${size}`);
    if (blob !== undefined && !(await present(digest, size, context))) {
      context.emit?.({ type: "damaged", repository: name, digest });
      throw new RegistryError("MANIFEST_BLOB_UNKNOWN", `the bytes of blob ${digest} are damaged in storage`, {
        hint: "push the blob again",
      });
    }
  }
}

function missingContent(name: string, digest: Digest): Reply {
  return faultReply(400, "MANIFEST_BLOB_UNKNOWN", `${digest}, which the manifest needs, is not in ${name}`, {
    detail: { digest },
  });
}

function unknownManifest(name: string, ref: string): Reply {
  return faultReply(404, "MANIFEST_UNKNOWN", `manifest ${ref} is not in ${name}`, { detail: { reference: ref } });
}

function invalid(what: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", `invalid manifest: ${what}`);
}
