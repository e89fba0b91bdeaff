import { parseDigest, type Digest, type DigestAlgorithm } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { isRepository } from "../oci/reference.ts";
import { present } from "./blobs.ts";
import type { Context, Exchange } from "./context.ts";
import { emptyReply, faultReply, type Reply, type ServerRequest } from "./message.ts";
import { parseContentRange } from "./range.ts";
import { queryOf } from "./route.ts";
import type { HeldUpload, UploadKey } from "./uploads.ts";

/** How many repositories an anonymous mount looks into for one that the caller may read. */
const mountCandidates = 16;

/** POST: mounts a blob, or takes it whole, or starts an upload (distribution-spec, end-4 and end-11). */
export async function startUpload(exchange: Exchange, context: Context): Promise<Reply> {
  const { request, route, user } = exchange;
  const query = queryOf(request.target);
  const mount = query.get("mount");
  if (mount !== null) {
    const digest = parseDigest(mount);
    const size = await findMountable(exchange, digest, query.get("from"), context);
    if (size !== undefined) return mountBlob(exchange, digest, size, context);
  }
  const whole = mount === null ? query.get("digest") : null;
  const digest = whole === null ? undefined : parseDigest(whole);
  const id = await context.uploads.start(
    route.name,
    user,
    digest ? undefined : parseAlgorithm(query.get("digest-algorithm")),
  );
  const key = { id, repository: route.name, ...(user !== undefined && { user }) };
  if (!digest) return emptyReply(202, progress(key, 0));
  return holding(key, context, async (upload) => {
    await upload.append(request.body(), lengthOf(request));
    return commit(upload, key, digest, context);
  });
}

/** GET: how far an upload has come, to go on from there (end-13). */
export async function getUpload(exchange: Exchange, { uploads }: Context): Promise<Reply> {
  const key = keyOf(exchange);
  const size = await uploads.size(key);
  return size === undefined ? unknownUpload() : emptyReply(204, progress(key, size));
}

/** PATCH: the next chunk, or, without Content-Range, whatever comes (end-5). */
export async function appendUpload(exchange: Exchange, context: Context): Promise<Reply> {
  const key = keyOf(exchange);
  return holding(key, context, async (upload) => {
    const wrong = await appendBody(exchange.request, upload, key);
    return wrong ?? emptyReply(202, progress(key, upload.size));
  });
}

/** PUT: the last bytes, if any, and the digest of all (end-6). */
export async function finishUpload(exchange: Exchange, context: Context): Promise<Reply> {
  const key = keyOf(exchange);
  const digest = parseDigest(queryOf(exchange.request.target).get("digest") ?? "");
  return holding(key, context, async (upload) => {
    const wrong = await appendBody(exchange.request, upload, key);
    return wrong ?? commit(upload, key, digest, context);
  });
}

/** DELETE: gives an upload up (end-14). */
export async function cancelUpload(exchange: Exchange, context: Context): Promise<Reply> {
  return holding(keyOf(exchange), context, async (upload) => {
    await upload.discard();
    return emptyReply(204);
  });
}

async function holding(
  key: UploadKey,
  { uploads }: Context,
  use: (upload: HeldUpload) => Promise<Reply>,
): Promise<Reply> {
  const upload = await uploads.hold(key);
  if (!upload) return unknownUpload();
  try {
    return await use(upload);
  } finally {
    upload.release();
  }
}

/** Appends a request's body where it says it belongs; the answer, where that is not what comes next. */
async function appendBody(request: ServerRequest, upload: HeldUpload, key: UploadKey): Promise<Reply | undefined> {
  const header = request.headers["content-range"];
  let length = lengthOf(request);
  if (header !== undefined) {
    const range = parseContentRange(header);
    if (!range) throw new RegistryError("BLOB_UPLOAD_INVALID", "Content-Range is not <first>-<last>");
    if (range.start !== upload.size) {
      const message = `the chunk starts at ${range.start}, ${upload.size} bytes have come`;
      return faultReply(416, "RANGE_INVALID", message, { headers: progress(key, upload.size) });
    }
    if (length !== undefined && length !== range.end - range.start) {
      throw new RegistryError("SIZE_INVALID", `Content-Length ${length} is not the length of Content-Range ${header}`);
    }
    length = range.end - range.start;
  }
  if (length !== 0) await upload.append(request.body(), length);
  return undefined;
}

async function commit(upload: HeldUpload, key: UploadKey, digest: Digest, context: Context): Promise<Reply> {
  const { size } = upload;
  const { repository, user } = key;
  await upload.commit(digest);
  await context.metadata.linkBlob(repository, { digest, size });
  context.emit?.({ type: "blob-pushed", repository, digest, size, ...(user !== undefined && { user }) });
  return created(repository, digest);
}

async function mountBlob({ route, user }: Exchange, digest: Digest, size: number, context: Context): Promise<Reply> {
  const { name } = route;
  if ((await context.metadata.blob(name, digest)) !== size) {
    await context.metadata.linkBlob(name, { digest, size });
    context.emit?.({ type: "blob-mounted", repository: name, digest, size, ...(user !== undefined && { user }) });
  }
  return created(name, digest);
}

/** The blob's size, if a repository that the caller may read has it whole; nothing tells "not there" from "not yours". */
async function findMountable(
  exchange: Exchange,
  digest: Digest,
  from: string | null,
  context: Context,
): Promise<number | undefined> {
  const { name } = exchange.route;
  const candidates = from === null ? [name, ...(await context.metadata.holders(digest, mountCandidates))] : [from];
  for (const candidate of candidates) {
    if (!isRepository(candidate)) continue;
    const size = await context.metadata.blob(candidate, digest);
    if (size === undefined || !(await present(digest, size, context))) continue;
    if (candidate === name) return size;
    const verdict = await context.access.authorize(exchange.request, { repository: candidate, verbs: ["pull"] });
    if (verdict.allow) return size;
  }
  return undefined;
}

function keyOf({ route: { name, ref }, user }: Exchange): UploadKey {
  return { id: ref, repository: name, ...(user !== undefined && { user }) };
}

function parseAlgorithm(text: string | null): DigestAlgorithm | undefined {
  if (text === null || text === "sha256" || text === "sha512") return text ?? undefined;
  throw new RegistryError("DIGEST_INVALID", `unknown digest algorithm ${JSON.stringify(text.slice(0, 40))}`);
}

function lengthOf(request: ServerRequest): number | undefined {
  const header = request.headers["content-length"];
  return header === undefined ? undefined : Number(header);
}

/** Locations are relative: right behind any proxy. */
function progress({ repository, id }: UploadKey, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    "docker-upload-uuid": id,
  };
}

function created(repository: string, digest: Digest): Reply {
  return emptyReply(201, { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest });
}

function unknownUpload(): Reply {
  return faultReply(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload here");
}
