import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";

/** The error for moving a tag that never moves. */
export function immutableFault(at: string, digest: Digest): RegistryError {
  return new RegistryError("REFUSED", `${at} never moves, as tags.immutable says, and it names ${digest}`, {
    hint: "use a tag that is not there yet; if it has to move for once, say --force",
  });
}
