import type { Descriptor } from "../oci/descriptor.ts";
import { isDigest, type Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Store } from "../store/store.ts";
import type { Held } from "./record.ts";

/** A repository as it was written down: what plans ask of a destination it answers, and it has no content and takes none. */
export function heldStore(name: string, held: Held): Store {
  const descriptorOf = (digest: Digest): Descriptor | undefined => {
    const found = Object.hasOwn(held.manifests, digest) ? held.manifests[digest]! : undefined;
    if (!found) return undefined;
    const { mediaType, size, artifactType } = found;
    return { mediaType, digest, size, ...(artifactType !== undefined && { artifactType }) };
  };
  const refuse = async (): Promise<never> => {
    throw new RegistryError("UNSUPPORTED", `${name} is only known by a record of what it has`, {
      hint: "with --to BUNDLE, what is missing goes into a bundle",
    });
  };
  return {
    name,
    async head(ref) {
      const digest = isDigest(ref) ? ref : Object.hasOwn(held.tags, ref) ? held.tags[ref] : undefined;
      return digest && descriptorOf(digest);
    },
    size: async (blob) => (Object.hasOwn(held.blobs, blob) ? held.blobs[blob] : undefined),
    async *tags() {
      yield* Object.keys(held.tags).sort();
    },
    async *referrers(subject, call) {
      for (const [digest, one] of Object.entries(held.manifests)) {
        const fits = call?.artifactType === undefined || one.artifactType === call.artifactType;
        if (one.subject === subject && fits) yield descriptorOf(digest as Digest)!;
      }
    },
    manifest: refuse,
    blob: refuse,
    putBlob: refuse,
    putManifest: refuse,
    deleteTag: refuse,
    deleteManifest: refuse,
    flush: async () => {},
    close: async () => {},
  };
}
