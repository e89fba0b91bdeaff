import type { Digest } from "../../oci/digest.ts";
import { isRegistryError, type RegistryError } from "../../oci/error.ts";
import type { Content } from "../../oci/stream.ts";
import { nonsense } from "./answer.ts";
import { headBlob } from "./download.ts";
import { mayPass, pauseAfter, type RemoteRepository } from "./remote.ts";
import { rereadable, type Rereadable } from "./rereadable.ts";
import { cancel, commit, openSession, patch, status, uploading, type Session } from "./session.ts";
import { firstChunk, leastChunk } from "./shared.ts";

/** So many bytes on, what failed before no longer counts. */
const progress = 64 * 1024;

export interface Upload {
  readonly to: RemoteRepository;
  readonly blob: Digest;
  readonly size: number | undefined;
  readonly content: Content;
  /** Whether a blob that is there already is no reason to stop. */
  readonly replace?: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a blob into a session: in one request where the registry takes that, in chunks where it refuses; goes on from
 * where it was when the connection breaks. What the content throws passes through as it is; a session that came to
 * nothing is cancelled.
 */
export async function upload(job: Upload, opened?: Session): Promise<void> {
  const { to, blob, size, content, signal } = job;
  const source = rereadable(content, { digest: blob, size, signal });
  const state: State = { session: opened, offset: 0, size, sent: 0, failures: 0, failedAt: 0, resumed: false };
  try {
    for (;;) {
      try {
        state.session ??= await openSession(to, blob, { signal });
        await transfer(job, source, state);
        return;
      } catch (error) {
        if (source.failure) throw source.failure.error;
        // while we wait, nobody else who reads the same stream should
        source.close().catch(() => {});
        await prepareNext(job, state, error);
        if (await recover(job, state)) return;
      }
    }
  } catch (error) {
    if (state.session) await cancel(to, state.session);
    throw error;
  } finally {
    await source.close().catch(() => {});
  }
}

interface State {
  session: Session | undefined;
  /** How many bytes the registry has. */
  offset: number;
  /** The blob's size; where it was not given, it is measured once a first try has failed. */
  size: number | undefined;
  /** How many bytes the last request carried, or was to. */
  sent: number;
  /** How many tries have failed since the upload last got further. */
  failures: number;
  failedAt: number;
  /** Whether the session was gone on with after a break. */
  resumed: boolean;
}

async function transfer({ to, blob, signal }: Upload, source: Rereadable, state: State): Promise<void> {
  const session = state.session!;
  if (state.size === undefined && state.sent === 0 && to.shared.bodyLimit === undefined) {
    state.sent = Infinity;
    await patch(to, session, { part: { open: source.slice(0) }, signal });
    return commit(to, session, { signal });
  }
  // an empty body is not opened on its way: its promise is kept here
  const size = state.size === undefined || state.size === 0 ? await source.measure() : state.size;
  state.size = size;
  const chunk = chunkSize(to, state);
  if (state.offset === 0 && size <= chunk) {
    state.sent = size;
    return commit(to, session, { part: { size, open: source.slice(0, size) }, signal });
  }
  while (state.offset < size) {
    const { offset } = state;
    const length = Math.min(chunk, size - offset);
    state.sent = length;
    const part = { size: length, open: source.slice(offset, length) };
    const has = await patch(to, session, { part, offset, signal });
    if (has !== undefined && has <= offset) throw nonsense(uploading(to, blob), "kept nothing of a chunk", true);
    state.offset = Math.min(has ?? Infinity, offset + length);
    forgetFailures(state);
  }
  return commit(to, session, { signal });
}

/** What one request may carry: all, unless the host has refused that, or connections keep breaking before anything is through. */
function chunkSize({ shared }: RemoteRepository, { failures }: State): number {
  const guess = failures < 2 ? Infinity : Math.max(leastChunk, firstChunk / 2 ** (failures - 2));
  return Math.max(Math.min(shared.bodyLimit ?? Infinity, guess), shared.minimumChunk);
}

/** Learns from a failed try and waits; throws the error where another try would not help. */
async function prepareNext({ to, signal }: Upload, state: State, error: unknown): Promise<void> {
  if (isRegistryError(error) && error.status === 413 && state.session) {
    lowerLimit(to, state.sent, error);
    return;
  }
  const spoilt = state.resumed && isRegistryError(error, "DIGEST_INVALID") && to.shared.resumes;
  if (spoilt) to.shared.resumes = false;
  const hopeful = spoilt || mayPass(error, signal) || isOutOfStep(error);
  if (!hopeful || signal?.aborted || state.failures >= to.retries) throw error;
  state.failures++;
  state.failedAt = state.offset;
  const asked = state.session?.retryAfter;
  if (state.session) state.session.retryAfter = undefined;
  await pauseAfter(to, state.failures, { signal, asked });
}

/** Whether the registry and we disagree on where the upload stands, or on whether there is one. */
function isOutOfStep(error: unknown): boolean {
  return isRegistryError(error) && (error.status === 416 || error.code === "BLOB_UPLOAD_UNKNOWN");
}

function lowerLimit({ shared }: RemoteRepository, sent: number, error: RegistryError): void {
  const lower = sent > firstChunk ? firstChunk : Math.max(leastChunk, Math.floor(sent / 2));
  if (sent <= leastChunk || lower < shared.minimumChunk) throw error;
  shared.bodyLimit = Math.min(shared.bodyLimit ?? Infinity, lower);
}

/** Finds out where the upload stands: goes on with its session, or without one; true where the blob is there after all. */
async function recover(job: Upload, state: State): Promise<boolean> {
  const { to, blob, size, signal, replace } = job;
  while (state.session) {
    const { session } = state;
    try {
      const has = to.shared.resumes ? await status(to, session, signal) : "unknown";
      if (typeof has === "number" && has <= (state.size ?? Infinity)) {
        state.offset = has;
        state.resumed = true;
        forgetFailures(state);
        return false;
      }
      state.session = undefined;
      if (has !== "gone") await cancel(to, session);
    } catch (error) {
      await prepareNext(job, state, error);
    }
  }
  state.offset = 0;
  state.resumed = false;
  if (replace) return false;
  const there = await headBlob(to, blob, { signal }).catch(() => undefined);
  return there !== undefined && (size === undefined || there === size);
}

function forgetFailures(state: State): void {
  if (state.offset - state.failedAt >= progress) state.failures = 0;
}
