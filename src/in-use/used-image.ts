import { isDigest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { InUse } from "../plan/in-use.ts";

export interface InUseFound {
  readonly used: readonly InUse[];
  /** What was left out, and why: services that are built; and what names no image. */
  readonly notes: readonly string[];
}

export const unknownHint =
  "mend it, or take it away: what is in use there is not known, so that nothing may be deleted";

/**
 * An image as people, Kubernetes and its runtimes write it: a reference, which is written in full, or an ID with the
 * runtime's scheme before it (`docker-pullable://app@sha256:...`, `docker://sha256:...`), or a digest alone. Throws INVALID,
 * naming `at`: what cannot be read cannot be protected.
 */
export function usedImage(text: string, by: string, at = by): InUse {
  const bare = text.replace(/^[a-z][a-z0-9+.-]*:\/\//, "");
  if (isDigest(bare)) return { reference: bare, by };
  try {
    return { reference: formatReference(parseReference(bare)), by };
  } catch (cause) {
    throw new RegistryError("INVALID", `${at}: ${(cause as Error).message}`, {
      cause,
      hint: unknownHint,
    });
  }
}

/** The same image used by the same one, once. */
export function distinct(used: readonly InUse[]): readonly InUse[] {
  return [...new Map(used.map((one) => [`${one.reference}\n${one.by}`, one])).values()];
}
