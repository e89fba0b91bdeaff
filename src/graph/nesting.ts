import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";

/** A manifest as far as it says what lies below it. */
export type Outline = Pick<Manifest, "descriptor" | "manifests">;

/** How many indexes may lie in one another; tools make two at most. */
export const nestingLimit = 8;

/** Throws TOO_LARGE, naming the image, where `manifest` is an index in more indexes than may be; the root's depth is 1. */
export function checkNesting(manifest: Outline, depth: number, image: string): void {
  if (depth <= nestingLimit || manifest.manifests.length === 0) return;
  throw new RegistryError("TOO_LARGE", `${image} has indexes nested more than ${nestingLimit} deep`, {
    side: "source",
    hint: `no tool makes such an image; ${manifest.descriptor.digest} is the first index too many`,
  });
}
