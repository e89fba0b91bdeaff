import { isDigest, parseDigest, type Digest } from "../oci/digest.ts";
import type { Context, Exchange } from "./context.ts";
import { apiVersion, emptyReply, faultReply, type Reply, type ServerRequest } from "./message.ts";
import { parseRange, type ByteRange } from "./range.ts";
import type { Soon } from "./storage/storage.ts";

/** GET and HEAD of a blob, whole or a range; also of a manifest by digest, which some clients ask for here (containerd). */
export async function getBlob({ request, route: { name, ref } }: Exchange, context: Context): Promise<Reply> {
  const digest = isDigest(ref) ? ref : parseDigest(ref);
  const known = context.metadata.blob(name, digest);
  const size = known instanceof Promise ? await known : known;
  if (size === undefined) return getManifestBytes(request, name, digest, context);
  const unchanged = request.headers["if-none-match"];
  if (unchanged !== undefined && isSame(unchanged, digest)) return emptyReply(304, { etag: `"${digest}"` });
  const range = rangeOf(request, digest, size);
  if (range === "unsatisfiable") return outOfRange(size);
  const body =
    request.method === "HEAD"
      ? await present(digest, size, context)
      : await open(request, digest, size, range, context);
  if (body === undefined) {
    context.emit?.({ type: "damaged", repository: name, digest });
    return unknownBlob(name, digest);
  }
  return contentReply(digest, "application/octet-stream", size, range, body === true ? undefined : body);
}

/** DELETE of a blob: takes it out of this repository. */
export async function deleteBlob({ route: { name, ref }, user }: Exchange, context: Context): Promise<Reply> {
  const digest = parseDigest(ref);
  if (!(await context.metadata.unlinkBlob(name, digest))) return unknownBlob(name, digest);
  context.emit?.({ type: "blob-deleted", repository: name, digest, ...(user !== undefined && { user }) });
  return emptyReply(202);
}

/** An answer with content under its digest: 200, or 206 with a range. */
export function contentReply(
  digest: Digest,
  mediaType: string,
  size: number,
  range: ByteRange | undefined,
  body: Reply["body"],
): Reply {
  const headers = {
    ...apiVersion,
    "content-type": mediaType,
    "content-length": String(range ? range.end - range.start : size),
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    ...(range && { "content-range": `bytes ${range.start}-${range.end - 1}/${size}` }),
  };
  return { status: range ? 206 : 200, headers, ...(body !== undefined && { body }) };
}

/** The part that is asked for: by GET only, and not where If-Range names other content (RFC 9110, "Range" and "If-Range"). */
function rangeOf(
  { method, headers }: ServerRequest,
  digest: Digest,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const condition = headers["if-range"];
  if (method !== "GET" || (condition !== undefined && condition !== `"${digest}"`)) return undefined;
  return parseRange(headers["range"], size);
}

/** Whether an If-None-Match header names this content. */
export function isSame(header: string, digest: Digest): boolean {
  return header === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${digest}"`);
}

/** Whether the storage really has the bytes: what has lost them must not keep clients from pushing again. */
export async function present(digest: Digest, size: number, { blobs }: Context): Promise<true | undefined> {
  const stored = blobs.size(digest);
  return (stored instanceof Promise ? await stored : stored) === size || undefined;
}

function open(
  request: ServerRequest,
  digest: Digest,
  size: number,
  range: ByteRange | undefined,
  { blobs }: Context,
): Soon<Reply["body"]> {
  return blobs.read(digest, size, { ...(range && { range }), transient: request.transient === true });
}

async function getManifestBytes(
  request: ServerRequest,
  name: string,
  digest: Digest,
  { metadata }: Context,
): Promise<Reply> {
  const manifest = await metadata.manifest(name, digest);
  if (!manifest) return unknownBlob(name, digest);
  const size = manifest.bytes.byteLength;
  const range = rangeOf(request, digest, size);
  if (range === "unsatisfiable") return outOfRange(size);
  const body = range ? manifest.bytes.subarray(range.start, range.end) : manifest.bytes;
  return contentReply(digest, "application/octet-stream", size, range, body);
}

function outOfRange(size: number): Reply {
  return faultReply(416, "RANGE_INVALID", `the range is not within the ${size} bytes there are`, {
    headers: { "content-range": `bytes */${size}` },
  });
}

function unknownBlob(name: string, digest: Digest): Reply {
  return faultReply(404, "BLOB_UNKNOWN", `blob ${digest} is not in ${name}`, { detail: { digest } });
}
