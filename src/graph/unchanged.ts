import type { Descriptor } from "../oci/descriptor.ts";
import { isBroken, RegistryError } from "../oci/error.ts";
import { isImageManifestType } from "../oci/media-types.ts";
import type { Call, Source } from "../store/store.ts";
import type { Outline } from "./nesting.ts";
import type { Prepared } from "./prepare.ts";
import { nameOf } from "./sides.ts";

/** A copy of what the destination's tag names already. */
export interface Unchanged extends Pick<Prepared, "manifest"> {
  readonly there: Outline;
}

/** What a tag names at a destination; what cannot be read there is to be put anew. */
export function findTag(store: Source, tag: string, call: Call): Promise<Descriptor | undefined> {
  return unlessBroken(() => store.head(tag, call));
}

/** What a descriptor points at, and the manifests below it: that takes the bytes of an index only. */
export function outlineOf(store: Source, descriptor: Descriptor, call: Call): Promise<Outline | undefined> {
  if (isImageManifestType(descriptor.mediaType)) return Promise.resolve({ descriptor, manifests: [] });
  return unlessBroken(() => store.manifest(descriptor.digest, call));
}

/** Both in one. */
export async function findOutline(store: Source, tag: string, call: Call): Promise<Outline | undefined> {
  const descriptor = await findTag(store, tag, call);
  return descriptor && outlineOf(store, descriptor, call);
}

/** The error for a tag that is not what it was expected to be. */
export function moved(store: Source, tag: string, now: Descriptor | undefined): RegistryError {
  const name = nameOf(store, tag);
  return new RegistryError("CONFLICT", now ? `${name} names ${now.digest} now` : `${name} is gone`, {
    side: "destination",
  });
}

async function unlessBroken<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isBroken(error)) return undefined;
    throw error;
  }
}
