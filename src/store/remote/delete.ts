import { isDigest } from "../../oci/digest.ts";
import { discard } from "../../transport/transport.ts";
import type { Call } from "../store.ts";
import { failure, recoded, type Attempt } from "./answer.ts";
import { headManifest, manifestUrl } from "./manifests.ts";
import { mayPass, pauseAfter, type RemoteRepository } from "./remote.ts";

/**
 * Deletes what `ref` names and nothing else: one tag, or a manifest with its tags. Throws MANIFEST_UNKNOWN where it is
 * not there, and UNSUPPORTED where the registry does not delete such a thing; never tries a way around.
 */
export async function deleteManifest(at: RemoteRepository, ref: string, call?: Call): Promise<void> {
  for (let failures = 1; ; failures++) {
    try {
      return await tryDelete(at, ref, call);
    } catch (error) {
      if (!mayPass(error, call?.signal) || failures > at.retries) throw error;
      await pauseAfter(at, failures, call);
      // it may be done, and only the answer lost
      if (!(await headManifest(at, ref, call))) return;
    }
  }
}

async function tryDelete(at: RemoteRepository, ref: string, call?: Call): Promise<void> {
  const kind = isDigest(ref) ? "manifest" : "tag";
  const attempt: Attempt = {
    what: `delete ${kind} ${ref} of ${at.name}`,
    host: at.registry,
    absent: "MANIFEST_UNKNOWN",
  };
  const request = { url: manifestUrl(at, ref), headers: {}, once: true, signal: call?.signal };
  const response = await at.send({ ...request, method: "DELETE" }, attempt);
  if (response.status >= 200 && response.status <= 299) return discard(response);
  const error = await failure(response, attempt);
  if (![400, 404, 405, 501].includes(response.status)) throw error;
  const there = isDigest(ref) && response.status === 404 ? undefined : await headManifest(at, ref, call);
  if (!there) throw recoded(error, "MANIFEST_UNKNOWN");
  const unsupported = !isDigest(ref) || response.status === 405 || error.code === "UNSUPPORTED";
  throw unsupported ? recoded(error, "UNSUPPORTED", hint(at, ref)) : error;
}

function hint(at: RemoteRepository, ref: string): string {
  if (isDigest(ref)) return `${at.registry} has deleting switched off, or does it by its own API only`;
  return `${at.registry} cannot delete a tag alone by the registry API; deleting the digest instead would take all its tags`;
}
