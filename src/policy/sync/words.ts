import { algorithmOf, hexOf, type Digest } from "../../oci/digest.ts";

/** As much of a digest as people need to tell it from others. */
export function shortDigest(digest: Digest): string {
  return `${algorithmOf(digest)}:${hexOf(digest).slice(0, 12)}`;
}
