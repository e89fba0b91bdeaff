import { algorithmOf, type Digest } from "../../oci/digest.ts";
import { RegistryError, type ErrorCode } from "../../oci/error.ts";
import { contentOf, type Content } from "../../oci/stream.ts";
import { retryAfter } from "../../transport/retry-after.ts";
import { discard, type Method, type Req, type Res } from "../../transport/transport.ts";
import { failure, nonsense, type Attempt } from "./answer.ts";
import { locate, type Located } from "./location.ts";
import { digestHeader } from "./manifests.ts";
import type { RemoteRepository } from "./remote.ts";

/** An upload that the registry has opened (distribution-spec, "Pushing blobs"). */
export interface Session {
  readonly blob: Digest;
  /** Where it goes on; moves with every answer. */
  at: Located;
  /** The milliseconds that the last refusal asked to wait. */
  retryAfter?: number;
}

/** A body to send. */
interface Part {
  readonly size?: number;
  readonly open: Content;
}

export interface Sending {
  readonly part: Part;
  readonly offset?: number;
  readonly signal?: AbortSignal;
}

const empty: Part = { size: 0, open: contentOf(new Uint8Array()) };
const octets = { "content-type": "application/octet-stream" };
const cancelLimit = 2000;

/** Opens an upload; gives undefined where the blob was mounted from `from` and nothing is left to do. */
export async function openSession(
  to: RemoteRepository,
  blob: Digest,
  { from, signal }: { readonly from?: string; readonly signal?: AbortSignal },
): Promise<Session | undefined> {
  const attempt = uploading(to, blob, "NAME_UNKNOWN");
  const query = {
    ...(from !== undefined && { mount: blob, from }),
    ...(algorithmOf(blob) !== "sha256" && { "digest-algorithm": algorithmOf(blob) }),
  };
  const url = to.url("blobs/uploads/", query);
  const response = await to.send({ method: "POST", url, headers: {}, body: empty, signal }, attempt);
  if (from !== undefined && response.status === 201) {
    await discard(response);
    return undefined;
  }
  if (response.status !== 202) throw await failure(response, attempt);
  await discard(response);
  const { location, "oci-chunk-min-length": minimum } = response.headers;
  if (location === undefined) throw nonsense(attempt, "opened an upload and did not say where");
  if (minimum !== undefined && /^\d{1,12}$/.test(minimum)) to.shared.minimumChunk = Number(minimum);
  return { blob, at: locate(to, url, location) };
}

/** Sends a part of the blob; with `offset`, as the chunk that starts there. Gives how many bytes the registry has now, where it says so. */
export async function patch(
  to: RemoteRepository,
  session: Session,
  { part, offset, signal }: Sending,
): Promise<number | undefined> {
  const chunk = offset !== undefined && part.size !== undefined;
  const headers = chunk ? { ...octets, "content-range": `${offset}-${offset + part.size - 1}` } : octets;
  const response = await send(to, session, { method: "PATCH", headers, body: part, signal });
  if (response.status < 200 || response.status > 299) throw await refusal(to, session, response);
  await discard(response);
  follow(to, session, response);
  return received(response);
}

/** Ends the upload, with the whole blob or nothing as the body; the registry has checked the digest then. */
export async function commit(
  to: RemoteRepository,
  session: Session,
  { part = empty, signal }: Partial<Sending>,
): Promise<void> {
  const { blob } = session;
  const url = new URL(session.at.url.href);
  url.search += `${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(blob)}`;
  const response = await send(to, session, { method: "PUT", url, headers: octets, body: part, signal });
  if (response.status < 200 || response.status > 299) throw await refusal(to, session, response);
  await discard(response);
  const told = digestHeader(response);
  if (told && told !== blob && algorithmOf(told) === algorithmOf(blob)) {
    throw new RegistryError("UNVERIFIED", `${to.name} stored blob ${blob} as ${told}`, { host: to.registry });
  }
}

/** Asks how many bytes of an upload have arrived; "gone" where there is no such upload, "unknown" where no use can be made of it. */
export async function status(
  to: RemoteRepository,
  session: Session,
  signal: AbortSignal | undefined,
): Promise<number | "gone" | "unknown"> {
  const response = await send(to, session, { method: "GET", headers: {}, signal });
  if (response.status >= 500 || response.status === 429) throw await refusal(to, session, response);
  await discard(response);
  if (response.status === 404) return "gone";
  if (response.status !== 204 && response.status !== 200) return "unknown";
  follow(to, session, response);
  return received(response) ?? "unknown";
}

/** Gives an upload up: as a courtesy, in two seconds at most, and never an error. */
export async function cancel(to: RemoteRepository, session: Session): Promise<void> {
  const signal = AbortSignal.timeout(cancelLimit);
  const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const asked = send(to, session, { method: "DELETE", headers: {}, signal }).then(discard);
  await Promise.race([asked, gone]).catch(() => {});
}

type SessionRequest = { readonly method: Method; readonly url?: URL } & Pick<Req, "headers" | "body" | "signal">;

function send(to: RemoteRepository, session: Session, request: SessionRequest): Promise<Res> {
  const { url, anonymous } = session.at;
  const once = request.method === "PATCH" || request.method === "PUT";
  return to.send(
    { url, ...request, ...(anonymous && { anonymous }), ...(once && { once }) },
    uploading(to, session.blob),
  );
}

function follow(to: RemoteRepository, session: Session, { headers: { location } }: Res): void {
  if (location !== undefined) session.at = locate(to, session.at.url, location);
}

/** Reads `Range: 0-<last>`. `0-0` is one byte by the spec and none to distribution: it tells nothing. */
function received({ headers: { range } }: Res): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(range?.trim() ?? "")?.[1];
  return last === undefined || last === "0" ? undefined : Number(last) + 1;
}

function refusal(to: RemoteRepository, session: Session, response: Res): Promise<RegistryError> {
  session.retryAfter = retryAfter(response.headers, to.clock.now());
  return failure(response, uploading(to, session.blob));
}

/** The words for an upload that failed. */
export function uploading(to: RemoteRepository, blob: Digest, absent: ErrorCode = "BLOB_UPLOAD_UNKNOWN"): Attempt {
  return { what: `upload blob ${blob} to ${to.name}`, host: to.registry, absent };
}
