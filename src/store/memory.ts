import { algorithmOf, digestOf, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { collect, streamOf, verified } from "../oci/stream.ts";
import type { Store } from "./store.ts";

/** A repository in memory: the reference of what a Store does, and what tests fill. */
export function memoryStore(name = "memory"): Store {
  const blobs = new Map<Digest, Uint8Array>();
  const manifests = new Map<Digest, Manifest>();
  const tags = new Map<string, Digest>();
  const find = (ref: string): Manifest | undefined => manifests.get(tags.get(ref) ?? (ref as Digest));

  return {
    name,
    head: async (ref) => find(ref)?.descriptor,
    manifest: async (ref) => find(ref),
    size: async (blob) => blobs.get(blob)?.byteLength,
    async blob(digest) {
      const bytes = blobs.get(digest);
      if (!bytes) throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${name}`);
      return verified(streamOf(bytes), { digest, size: bytes.byteLength });
    },
    async *tags() {
      yield* [...tags.keys()].sort();
    },
    async *referrers(subject, call) {
      for (const manifest of manifests.values()) {
        if (manifest.subject?.digest === subject && fits(manifest.descriptor, call?.artifactType)) yield manifest.descriptor;
      }
    },
    async putBlob({ digest, size }, content) {
      if (blobs.has(digest)) return "exists";
      blobs.set(digest, await collect(verified(await content(), { digest, size }), size ?? Number.MAX_SAFE_INTEGER));
      return "written";
    },
    async putManifest(manifest, call) {
      const { digest } = manifest.descriptor;
      if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest) {
        throw new RegistryError("DIGEST_INVALID", `the bytes of manifest ${digest} have another digest`);
      }
      manifests.set(digest, manifest);
      if (call?.tag !== undefined) tags.set(call.tag, digest);
    },
    async deleteTag(tag) {
      if (!tags.delete(tag)) throw new RegistryError("MANIFEST_UNKNOWN", `tag ${tag} is not in ${name}`);
    },
    async deleteManifest(digest) {
      if (!manifests.delete(digest)) throw new RegistryError("MANIFEST_UNKNOWN", `manifest ${digest} is not in ${name}`);
      for (const [tag, target] of tags) if (target === digest) tags.delete(tag);
    },
    flush: async () => {},
    close: async () => {},
  };
}

function fits(descriptor: Descriptor, artifactType: string | undefined): boolean {
  return artifactType === undefined || descriptor.artifactType === artifactType;
}
