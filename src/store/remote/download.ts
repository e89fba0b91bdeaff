import type { Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { verified, type ByteStream } from "../../oci/stream.ts";
import { aborted } from "../../transport/clock.ts";
import { discard, type Res } from "../../transport/transport.ts";
import type { Call } from "../store.ts";
import { explained, failure, nonsense, type Attempt } from "./answer.ts";
import { contentLength, mayPass, pauseAfter, retriesAfter, type RemoteRepository } from "./remote.ts";

/** So many bytes on, what failed before no longer counts. */
const progress = 64 * 1024;

export interface BlobCall extends Call {
  readonly transient?: boolean;
  readonly size?: number;
}

/** A blob's size by HEAD; by the head of a GET where HEAD does not tell. */
export async function headBlob(at: RemoteRepository, blob: Digest, call?: Call): Promise<number | undefined> {
  const attempt: Attempt = { what: `look for blob ${blob} in ${at.name}`, host: at.registry };
  const request = { url: at.url(`blobs/${blob}`), headers: identity, signal: call?.signal };
  let response = await at.send({ ...request, method: "HEAD" }, attempt);
  if (response.status === 405 || (response.status === 200 && contentLength(response) === undefined)) {
    await discard(response);
    response = await at.send({ ...request, method: "GET" }, attempt);
  }
  if (response.status === 404) {
    await discard(response);
    at.shared.blobs.remove(blob, at.repository);
    return undefined;
  }
  if (response.status !== 200) throw await failure(response, attempt);
  await discard(response);
  const size = contentLength(response);
  if (size === undefined) throw nonsense(attempt, "did not say how large it is");
  at.shared.blobs.add(blob, at.repository);
  return size;
}

/** Opens a blob: verified, and fetched on from where it was when the connection breaks. */
export async function getBlob(at: RemoteRepository, blob: Digest, call: BlobCall = {}): Promise<ByteStream> {
  const attempt: Attempt = { what: `read blob ${blob} of ${at.name}`, host: at.registry, absent: "BLOB_UNKNOWN" };
  const fetch = (from: number): Promise<Res> =>
    at.send(
      {
        method: "GET",
        url: at.url(`blobs/${blob}`),
        headers: from === 0 ? identity : { ...identity, range: `bytes=${from}-` },
        signal: call.signal,
        transient: call.transient,
      },
      attempt,
    );
  const first = await fetch(0);
  if (first.status !== 200) throw await failure(first, attempt);
  const length = contentLength(first);
  if (call.size !== undefined && length !== undefined && length !== call.size) {
    await discard(first);
    throw new RegistryError("UNVERIFIED", `blob ${blob} of ${at.name} has ${length} bytes instead of ${call.size}`, {
      host: at.registry,
    });
  }
  at.shared.blobs.add(blob, at.repository);
  const total = length ?? call.size;
  const pieces = resumed(first, { at, attempt, fetch, total, signal: call.signal });
  const from = first.mirror === undefined ? at.name : `${at.name} (from its mirror ${first.mirror})`;
  return verified({ [Symbol.asyncIterator]: () => pieces }, { digest: blob, size: total, what: `${from}: blob` });
}

const identity = { "accept-encoding": "identity" };

interface Download {
  readonly at: RemoteRepository;
  readonly attempt: Attempt;
  readonly fetch: (from: number) => Promise<Res>;
  readonly total: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The pieces of a body; a broken connection is mended by asking for the rest, until that has failed as often in a row as there are retries. */
function resumed(first: Res, { at, attempt, fetch, total, signal }: Download): AsyncIterator<Uint8Array> {
  let body: AsyncIterator<Uint8Array> | undefined = first.body[Symbol.asyncIterator]();
  let position = 0;
  let skip = 0;
  let failures = 0;
  let failedAt = 0;
  const retries = retriesAfter(at, first);
  const state = { closed: false };

  const piece = async (): Promise<Uint8Array | undefined> => {
    body ??= await reopen();
    for (;;) {
      const { done, value } = await body.next();
      if (done === true) {
        if (total !== undefined && position < total)
          throw nonsense(attempt, `sent ${position} of ${total} bytes`, true);
        return undefined;
      }
      const rest = skip === 0 ? value : value.subarray(Math.min(skip, value.byteLength));
      skip -= value.byteLength - rest.byteLength;
      if (rest.byteLength > 0) return rest;
    }
  };

  const reopen = async (): Promise<AsyncIterator<Uint8Array>> => {
    const response = await fetch(position);
    skip = await alreadyRead(response, position, total, attempt);
    return response.body[Symbol.asyncIterator]();
  };

  const giveUp = async (): Promise<void> => {
    const broken = body;
    body = undefined;
    await broken?.return?.();
  };

  return {
    async next() {
      while (!state.closed) {
        try {
          if (signal?.aborted) throw aborted(signal);
          const value = await piece();
          if (value === undefined) return { done: true, value };
          position += value.byteLength;
          if (position - failedAt >= progress) failures = 0;
          return { done: false, value };
        } catch (error) {
          await giveUp().catch(() => {});
          if (signal?.aborted) throw error;
          if (position === total) return { done: true, value: undefined };
          if (state.closed) break;
          if (!mayPass(error, signal) || failures >= retries) throw explained(error, attempt);
          failures++;
          failedAt = position;
          await pauseAfter(at, failures, { signal });
        }
      }
      return { done: true, value: undefined };
    },
    async return() {
      state.closed = true;
      await giveUp();
      return { done: true, value: undefined };
    },
  };
}

/** How many bytes of an answer to a Range request were had before: none of a 206, all up to `from` of a 200. */
async function alreadyRead(response: Res, from: number, total: number | undefined, attempt: Attempt): Promise<number> {
  if (response.status === 200) return from;
  if (response.status !== 206) throw await failure(response, attempt);
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(response.headers["content-range"]?.trim() ?? "");
  const fits =
    range !== null &&
    Number(range[1]) === from &&
    (total === undefined || range[3] === "*" || Number(range[3]) === total);
  if (fits) return 0;
  await discard(response);
  throw nonsense(
    attempt,
    `answered bytes=${from}- with ${JSON.stringify(response.headers["content-range"] ?? "")}`,
    true,
  );
}
