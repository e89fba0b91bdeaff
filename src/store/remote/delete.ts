import { isDigest } from "../../oci/digest.ts";
import { discard } from "../../transport/transport.ts";
import type { Call } from "../store.ts";
import { failure, recoded, type Attempt } from "./answer.ts";
import { headManifest, manifestUrl } from "./manifests.ts";
import type { RemoteRepository } from "./remote.ts";

/**
 * Deletes what `ref` names and nothing else: one tag, or a manifest with its tags. Throws MANIFEST_UNKNOWN where it is
 * not there, and UNSUPPORTED where the registry does not delete such a thing; never tries a way around.
 */
export async function deleteManifest(at: RemoteRepository, ref: string, call?: Call): Promise<void> {
  const attempt: Attempt = {
    what: `delete ${isDigest(ref) ? "manifest" : "tag"} ${ref} of ${at.name}`,
    host: at.registry,
    absent: "MANIFEST_UNKNOWN",
  };
  const response = await at.send(
    {
      method: "DELETE",
      url: manifestUrl(at, ref),
      headers: {},
      signal: call?.signal,
    },
    attempt,
  );
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
