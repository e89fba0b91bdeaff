import { algorithmOf, digestOf, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { collect, streamOf, verified } from "../oci/stream.ts";
import { abortable, throwIfAborted } from "../oci/abort.ts";
import type { Call, Store } from "./store.ts";

/** A repository in memory: the reference of what a Store does, and what tests fill. */
export function memoryStore(name = "memory"): Store {
  const blobs = new Map<Digest, Uint8Array>();
  const manifests = new Map<Digest, Manifest>();
  const tags = new Map<string, Digest>();
  const find = async (ref: string, call?: Call): Promise<Manifest | undefined> => {
    throwIfAborted(call?.signal);
    return manifests.get(tags.get(ref) ?? (ref as Digest));
  };

  return {
    name,
    head: async (ref, call) => (await find(ref, call))?.descriptor,
    manifest: find,
    async size(blob, call) {
      throwIfAborted(call?.signal);
      return blobs.get(blob)?.byteLength;
    },
    async blob(digest, call) {
      throwIfAborted(call?.signal);
      const bytes = blobs.get(digest);
      if (!bytes) throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${name}`);
      return verified(abortable(streamOf(...slices(bytes)), call?.signal), {
        digest,
        size: call?.size ?? bytes.byteLength,
      });
    },
    async *tags(call) {
      throwIfAborted(call?.signal);
      yield* [...tags.keys()].sort();
    },
    async *referrers(subject, call) {
      throwIfAborted(call?.signal);
      for (const manifest of manifests.values()) {
        if (manifest.subject?.digest === subject && fits(manifest.descriptor, call?.artifactType))
          yield manifest.descriptor;
      }
    },
    async putBlob({ digest, size }, content, call) {
      throwIfAborted(call?.signal);
      if (blobs.has(digest) && !call?.replace) return "exists";
      const stream = verified(abortable(await content(), call?.signal), { digest, size });
      blobs.set(digest, await collect(stream, size ?? Number.MAX_SAFE_INTEGER));
      return "written";
    },
    async putManifest(manifest, call) {
      throwIfAborted(call?.signal);
      const { digest } = manifest.descriptor;
      if (digestOf(manifest.bytes, algorithmOf(digest)) !== digest) {
        throw new RegistryError("DIGEST_INVALID", `the bytes of manifest ${digest} have another digest`);
      }
      manifests.set(digest, manifest);
      if (call?.tag !== undefined) tags.set(call.tag, digest);
    },
    async deleteTag(tag, call) {
      throwIfAborted(call?.signal);
      if (!tags.delete(tag)) throw new RegistryError("MANIFEST_UNKNOWN", `tag ${tag} is not in ${name}`);
    },
    async deleteManifest(digest, call) {
      throwIfAborted(call?.signal);
      if (!manifests.delete(digest))
        throw new RegistryError("MANIFEST_UNKNOWN", `manifest ${digest} is not in ${name}`);
      for (const [tag, target] of tags) if (target === digest) tags.delete(tag);
    },
    flush: async () => {},
    close: async () => {},
  };
}

/** In pieces, so that who reads a large blob can stop between them. */
function* slices(bytes: Uint8Array): Generator<Uint8Array, void> {
  const size = 1024 * 1024;
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

function fits(descriptor: Descriptor, artifactType: string | undefined): boolean {
  return artifactType === undefined || descriptor.artifactType === artifactType;
}
