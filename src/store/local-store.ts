import { refNameAnnotation, type Descriptor } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import type { Call, Store } from "./store.ts";

/** A store in a file or a directory, which can say what it holds as a whole. */
export interface LocalStore extends Store {
  /**
   * The images that it lists, in its order, each under its name where it has one (as `org.opencontainers.image.ref.name`);
   * what is only there as a part of another image, or attached to one, is left out.
   */
  roots(call?: Call): Promise<readonly Descriptor[]>;
  /** Throws INVALID where what is at its place is something else, which would be lost or in the way; before work is done. */
  checkPlace(call?: Call): Promise<void>;
}

/**
 * The reference (tag or digest) of the only image in a store: what a location without a reference means. Throws INVALID
 * with the names where there are several, MANIFEST_UNKNOWN where there is none.
 */
export async function soleReference(store: LocalStore, call?: Call): Promise<string> {
  const roots = await store.roots(call);
  const named = roots.filter((root) => nameOf(root) !== undefined);
  const [candidates, first] = named.length > 0 ? [named, named[0]!] : [roots, roots[0]];
  if (!first) throw new RegistryError("MANIFEST_UNKNOWN", `there is no image in ${store.name}`);
  if (candidates.every(({ digest }) => digest === first.digest)) return nameOf(first) ?? first.digest;
  const names = candidates.map((root) => nameOf(root) ?? `@${root.digest}`);
  const shown = [...new Set(names)].slice(0, 10);
  throw new RegistryError("INVALID", `there are ${names.length} images in ${store.name}, and none was named`, {
    hint: `add one of: ${shown.join(", ")}${shown.length < names.length ? ", ..." : ""}`,
  });
}

function nameOf(root: Descriptor): string | undefined {
  return root.annotations?.[refNameAnnotation];
}
