import type { Digest } from "../../oci/digest.ts";
import { isRegistryError } from "../../oci/error.ts";
import type { Content } from "../../oci/stream.ts";
import type { Put, Store } from "../store.ts";
import { headBlob } from "./download.ts";
import type { RemoteRepository } from "./remote.ts";
import { cancel, openSession, type Session } from "./session.ts";
import { upload } from "./upload.ts";

/** Blobs below this size, in bytes, are asked for and sent in one go where that saves a request. */
const smallBlob = 1024 * 1024;

/**
 * Puts blobs into one repository. A HEAD says whether a blob is there; once one has said "missing", or the host that there
 * is no such repository, a small or mountable blob is asked for by the POST that opens its upload: `mount` from another
 * repository, or from this very one, answers 201 where it is there and opens the upload where it is not. One that this
 * process has put into another repository of the host is mounted without a question.
 */
export function blobPutter(to: RemoteRepository): Store["putBlob"] {
  let missed = false;

  const isThere = async (blob: Digest, size: number | undefined, signal: AbortSignal | undefined): Promise<boolean> => {
    const has = await headBlob(to, blob, { signal });
    if (has === undefined) missed = true;
    return has !== undefined && (size === undefined || has === size);
  };

  /** The question that the POST left open; an upload that it has opened meanwhile does not outlive a yes or an error. */
  const isThereAfterAll = async (
    blob: Digest,
    size: number | undefined,
    session: Session | undefined,
    signal: AbortSignal | undefined,
  ): Promise<boolean> => {
    let needed = false;
    try {
      needed = !(await isThere(blob, size, signal));
      return !needed;
    } finally {
      if (session && !needed) await cancel(to, session);
    }
  };

  return async ({ digest, size }, content: Content, { mountFrom, replace, signal } = {}): Promise<Put> => {
    if (replace) {
      await upload({ to, blob: digest, size, content, signal, replace });
      return "written";
    }
    const small = size !== undefined && size < smallBlob;
    const put = to.shared.blobs.mountable(digest, to.repository);
    const other = mountFrom !== undefined && mountFrom !== to.repository ? mountFrom : put;
    missed ||= to.shared.absent.has(to.repository);
    const asksByPost = put !== undefined || (missed && (other !== undefined || (small && to.shared.probes)));
    if (!asksByPost && (await isThere(digest, size, signal))) return "exists";
    const from = other ?? (asksByPost ? to.repository : undefined);
    const mount = from === undefined ? "refused" : await tryMount(to, digest, from, signal);
    if (mount === "done") return from === to.repository ? "exists" : "mounted";
    const session = mount === "refused" ? undefined : mount;
    const unsure = asksByPost && (!small || mount === "refused");
    if (unsure && (await isThereAfterAll(digest, size, session, signal))) return "exists";
    await upload({ to, blob: digest, size, content, signal }, session);
    to.shared.blobs.add(digest, to.repository);
    return "written";
  };
}

/** Asks for a mount: done, an upload session instead, or refused altogether. What is learned goes to the host's state. */
async function tryMount(
  to: RemoteRepository,
  blob: Digest,
  from: string,
  signal: AbortSignal | undefined,
): Promise<"done" | "refused" | Session> {
  try {
    const session = await openSession(to, blob, { from, signal });
    if (from !== to.repository) {
      to.shared.blobs.mounted(session === undefined);
      if (session) to.shared.blobs.remove(blob, from);
    }
    if (session) return session;
    to.shared.blobs.add(blob, to.repository);
    return "done";
  } catch (error) {
    if (!isRegistryError(error) || error.retryable || error.status === undefined || error.status >= 500) throw error;
    if (from === to.repository) to.shared.probes = false;
    else to.shared.blobs.mounted(false);
    return "refused";
  }
}
