import { algorithmOf, digestOf, isDigest, type Digest } from "../../src/oci/digest.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { collect, streamOf } from "../../src/oci/stream.ts";
import type { Req, Res, Transport } from "../../src/transport/transport.ts";

/** How a fake registry misbehaves; a good one where nothing is said. May be changed while it runs. */
export interface Behaviour {
  /** No referrers API: its answer's status, with a web page for 200. */
  noReferrers?: number;
  /** Requests with larger bodies are answered 413. */
  bodyLimit?: number;
  /** Sent as OCI-Chunk-Min-Length. */
  minimumChunk?: number;
  /** Mounts are answered so: 202 opens an upload, all else refuses. */
  mount?: number;
  /** Where uploads are said to be: on another scheme, on another host, or in full; relative where absent. */
  location?: "absolute" | "http" | "elsewhere";
  /** Uploads have a query that must come back as it was. */
  uploadQuery?: string;
  /** Of an upload in chunks, only the last is kept. */
  keepsLastChunk?: boolean;
  /** GET on an upload is answered so. */
  uploadStatus?: number;
  /** Docker-Content-Digest is left out, or wrong. */
  digestHeader?: "none" | "wrong";
  /** HEAD on manifests is answered so. */
  headManifest?: number;
  /** DELETE by tag, and by digest, is answered so. */
  deleteTag?: number;
  deleteDigest?: number;
  /** Tags, the catalog and referrers come in pages of so many. */
  pageSize?: number;
  /** What is wrong with Link headers: none at all, to another host, the same page again, or one on the last page too. */
  link?: "none" | "elsewhere" | "loop" | "always";
  /** Ranges are ignored, or begin a byte too early. */
  range?: "ignored" | "wrong";
  /** Filters are not applied by the referrers API. */
  filter?: "ignored";
  /** An empty list of tags is null. */
  nullTags?: boolean;
  /** A tag `sha256-<hex>` is read as the digest. */
  tagsAreDigests?: boolean;
}

interface Stored {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

interface FakeRepository {
  readonly blobs: Map<Digest, Uint8Array>;
  readonly manifests: Map<Digest, Stored>;
  readonly tags: Map<string, Digest>;
}

export interface FakeRegistry {
  readonly transport: Transport;
  /** Each request, as `METHOD /path?query`, in the order they came. */
  readonly log: string[];
  readonly requests: Req[];
  readonly repositories: Map<string, FakeRepository>;
  /** The uploads under way: what has arrived of each. */
  readonly uploads: Map<string, { readonly pieces: Uint8Array[]; size: number }>;
}

const elsewhere = "https://uploads.example";

/** A small registry in memory that is spec-shaped, and wrong on demand. It is no judge of names or rights. */
export function fakeRegistry(behaviour: Behaviour = {}): FakeRegistry {
  const repositories = new Map<string, FakeRepository>();
  const uploads: FakeRegistry["uploads"] = new Map();
  const log: string[] = [];
  const requests: Req[] = [];
  let serial = 0;

  const at = (name: string): FakeRepository => {
    const made = repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(name, made);
    return made;
  };

  const place = (request: Req, name: string, id: string): string => {
    const path = `/v2/${name}/blobs/uploads/${id}${behaviour.uploadQuery ?? ""}`;
    if (behaviour.location === "absolute") return `${request.url.origin}${path}`;
    if (behaviour.location === "http") return `http://${request.url.host}${path}`;
    return behaviour.location === "elsewhere" ? `${elsewhere}${path}` : path;
  };

  const opened = (request: Req, name: string, id: string, status: number): Res => {
    const held = uploads.get(id)!.size;
    const { minimumChunk } = behaviour;
    return reply(status, undefined, {
      location: place(request, name, id),
      range: `0-${Math.max(0, held - 1)}`,
      ...(minimumChunk !== undefined && { "oci-chunk-min-length": String(minimumChunk) }),
    });
  };

  async function startUpload(request: Req, name: string): Promise<Res> {
    const { mount, from } = Object.fromEntries(request.url.searchParams);
    if (mount !== undefined) {
      if (behaviour.mount !== undefined && behaviour.mount !== 202) return refuse(behaviour.mount, "DENIED");
      const bytes = behaviour.mount === undefined ? repositories.get(from!)?.blobs.get(mount as Digest) : undefined;
      if (bytes) {
        at(name).blobs.set(mount as Digest, bytes);
        return reply(201, undefined, { location: `/v2/${name}/blobs/${mount}` });
      }
    }
    const id = String(++serial);
    uploads.set(id, { pieces: [], size: 0 });
    return opened(request, name, id, 202);
  }

  /** Keeps what arrives, also when it breaks off. */
  async function receive(request: Req, id: string): Promise<void> {
    const upload = uploads.get(id)!;
    for await (const piece of (await request.body?.open()) ?? []) {
      upload.pieces.push(Uint8Array.from(piece));
      upload.size += piece.byteLength;
    }
  }

  async function continueUpload(request: Req, name: string, id: string): Promise<Res> {
    const { method, url, headers } = request;
    if (!uploads.has(id) || (behaviour.uploadQuery && !url.search.startsWith(behaviour.uploadQuery))) {
      return refuse(404, "BLOB_UPLOAD_UNKNOWN");
    }
    if (method === "GET" && behaviour.uploadStatus !== undefined) return refuse(behaviour.uploadStatus, "UNSUPPORTED");
    if (method === "GET") return opened(request, name, id, 204);
    if (method === "DELETE") return uploads.delete(id) ? reply(204) : refuse(404, "BLOB_UPLOAD_UNKNOWN");
    const range = headers["content-range"];
    if (range !== undefined && !range.startsWith(`${uploads.get(id)!.size}-`)) return refuse(416, "RANGE_INVALID");
    if (behaviour.keepsLastChunk && method === "PATCH") uploads.get(id)!.pieces.length = 0;
    await receive(request, id);
    if (method === "PATCH") return opened(request, name, id, 202);
    const digest = url.searchParams.get("digest") as Digest;
    const bytes = Buffer.concat(uploads.get(id)!.pieces);
    uploads.delete(id);
    if (digestOf(bytes, algorithmOf(digest)) !== digest) return refuse(400, "DIGEST_INVALID");
    at(name).blobs.set(digest, bytes);
    return reply(201, undefined, { location: `/v2/${name}/blobs/${digest}`, ...digestHeader(digest) });
  }

  const digestHeader = (digest: Digest): Record<string, string> => {
    if (behaviour.digestHeader === "none") return {};
    return { "docker-content-digest": behaviour.digestHeader === "wrong" ? digestOf("wrong") : digest };
  };

  function blob({ method, headers }: Req, name: string, digest: Digest): Res {
    const bytes = repositories.get(name)?.blobs.get(digest);
    if (!bytes) return refuse(404, "BLOB_UNKNOWN");
    if (method === "DELETE") return reply(repositories.get(name)!.blobs.delete(digest) ? 202 : 404);
    const start = Number(/^bytes=(\d+)-$/.exec(headers["range"] ?? "")?.[1] ?? 0);
    if (start === 0 || behaviour.range === "ignored") return reply(200, bytes, digestHeader(digest));
    if (start >= bytes.byteLength) return refuse(416, "RANGE_INVALID");
    const from = behaviour.range === "wrong" ? start - 1 : start;
    const total = bytes.byteLength;
    return reply(206, bytes.subarray(from), { "content-range": `bytes ${from}-${total - 1}/${total}` });
  }

  const resolve = (name: string, ref: string): Digest => {
    const asDigest = ref.replace("-", ":");
    if (behaviour.tagsAreDigests && isDigest(asDigest)) return asDigest;
    return repositories.get(name)?.tags.get(ref) ?? (ref as Digest);
  };

  async function manifest(request: Req, name: string, ref: string): Promise<Res> {
    if (request.method === "PUT") return putManifest(request, name, ref);
    if (request.method === "HEAD" && behaviour.headManifest) return refuse(behaviour.headManifest, "UNSUPPORTED");
    if (request.method === "DELETE") return deleteManifest(name, ref);
    const digest = resolve(name, ref);
    const found = repositories.get(name)?.manifests.get(digest);
    if (!found) return refuse(404, "MANIFEST_UNKNOWN");
    return reply(200, found.bytes, { "content-type": found.mediaType, ...digestHeader(digest) });
  }

  async function putManifest({ url, headers, body }: Req, name: string, ref: string): Promise<Res> {
    const bytes = await collect(await body!.open(), 4 * 1024 * 1024);
    const { subject } = parseManifest(bytes);
    const digest = digestOf(bytes, isDigest(ref) ? algorithmOf(ref) : undefined);
    if (isDigest(ref) && digest !== ref) return refuse(400, "DIGEST_INVALID");
    at(name).manifests.set(digest, { bytes, mediaType: headers["content-type"]! });
    const tags = isDigest(ref) ? url.searchParams.getAll("tag") : [ref];
    for (const tag of tags) at(name).tags.set(tag, digest);
    return reply(201, undefined, {
      ...digestHeader(digest),
      ...(subject && behaviour.noReferrers === undefined && { "oci-subject": subject.digest }),
      ...(url.searchParams.has("tag") && { "oci-tag": tags.join(", ") }),
    });
  }

  function deleteManifest(name: string, ref: string): Res {
    const refusal = isDigest(ref) ? behaviour.deleteDigest : behaviour.deleteTag;
    if (refusal !== undefined) return refuse(refusal, "UNSUPPORTED");
    const { manifests, tags } = at(name);
    if (!isDigest(ref)) return tags.delete(ref) ? reply(202) : refuse(404, "MANIFEST_UNKNOWN");
    for (const [tag, digest] of tags) if (digest === ref) tags.delete(tag);
    return manifests.delete(ref) ? reply(202) : refuse(404, "MANIFEST_UNKNOWN");
  }

  /** Cuts a list into the page that was asked for, and says where the next one is. */
  function page<T>(
    { url }: Req,
    items: readonly T[],
    nameOf: (item: T) => string,
  ): { items: readonly T[]; headers: Record<string, string> } {
    const last = url.searchParams.get("last");
    const rest = last === null ? items : items.slice(items.findIndex((item) => nameOf(item) === last) + 1);
    const cut = rest.slice(0, behaviour.pageSize ?? rest.length);
    const more = cut.length < rest.length || behaviour.link === "always";
    if (!more || cut.length === 0 || behaviour.link === "none") return { items: cut, headers: {} };
    const next = new URL(url.href);
    if (behaviour.link !== "loop") next.searchParams.set("last", nameOf(cut.at(-1)!));
    const target =
      behaviour.link === "elsewhere" ? `${elsewhere}${next.pathname}${next.search}` : next.pathname + next.search;
    return { items: cut, headers: { link: `<${target}>; rel="next"` } };
  }

  function tags(request: Req, name: string): Res {
    const repository = repositories.get(name);
    if (!repository) return refuse(404, "NAME_UNKNOWN");
    const { items, headers } = page(request, [...repository.tags.keys()].sort(), (tag) => tag);
    return json({ name, tags: items.length === 0 && behaviour.nullTags ? null : items }, headers);
  }

  function referrers(request: Req, name: string, subject: Digest): Res {
    if (behaviour.noReferrers === 200)
      return reply(200, Buffer.from("<html>no</html>"), { "content-type": "text/html" });
    if (behaviour.noReferrers !== undefined) return reply(behaviour.noReferrers, Buffer.from("404 page not found"));
    const type = behaviour.filter === "ignored" ? null : request.url.searchParams.get("artifactType");
    const all = [...(repositories.get(name)?.manifests.values() ?? [])].map(({ bytes }) => parseManifest(bytes));
    const found = all.filter((one) => one.subject?.digest === subject).map((one) => one.descriptor);
    const wanted = found.filter((one) => type === null || one.artifactType === type);
    const { items, headers } = page(request, wanted, (one) => one.digest);
    const applied: Record<string, string> = type === null ? {} : { "oci-filters-applied": "artifactType" };
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: items };
    return json(index, { "content-type": mediaTypes.ociIndex, ...headers, ...applied });
  }

  async function answer(request: Req): Promise<Res> {
    if ((request.body?.size ?? 0) > (behaviour.bodyLimit ?? Infinity))
      return reply(413, Buffer.from("<html>too large</html>"));
    const path = request.url.pathname.slice("/v2/".length);
    if (path === "_catalog") {
      const { items, headers } = page(request, [...repositories.keys()].sort(), (name) => name);
      return json({ repositories: items }, headers);
    }
    const route = /^(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/.exec(path);
    if (!route) return reply(404);
    const [, name, kind, ref] = route as unknown as [string, string, string, string];
    if (kind === "blobs/uploads") return ref === "" ? startUpload(request, name) : continueUpload(request, name, ref);
    if (kind === "blobs") return blob(request, name, ref as Digest);
    if (kind === "manifests") return manifest(request, name, ref);
    return kind === "tags" ? tags(request, name) : referrers(request, name, ref as Digest);
  }

  return {
    log,
    requests,
    repositories,
    uploads,
    async transport(request) {
      log.push(`${request.method} ${request.url.pathname}${request.url.search}`);
      requests.push(request);
      const response = await answer(request);
      return request.method === "HEAD" ? { ...response, body: streamOf() } : response;
    },
  };
}

function reply(status: number, bytes: Uint8Array = new Uint8Array(), headers: Record<string, string> = {}): Res {
  return { status, headers: { "content-length": String(bytes.byteLength), ...headers }, body: streamOf(bytes) };
}

function json(value: unknown, headers: Record<string, string> = {}): Res {
  return reply(200, Buffer.from(JSON.stringify(value)), { "content-type": "application/json", ...headers });
}

function refuse(status: number, code: string): Res {
  const body = { errors: [{ code, message: `${code} it is` }] };
  return reply(status, Buffer.from(JSON.stringify(body)), { "content-type": "application/json" });
}
