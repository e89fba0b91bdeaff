import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Store } from "../store/store.ts";
import type { BundledImage } from "./manifest.ts";
import type { Held } from "./record.ts";

/** What came along for one image while it was copied. */
export interface Gathered {
  /** Takes what is put: manifests and blobs go to the stage, but for blobs that the registry has. */
  readonly store: Store;
  readonly manifests: ReadonlyMap<Digest, Manifest>;
  /** The blobs that go into the bundle, with their sizes. */
  readonly blobs: ReadonlyMap<Digest, number>;
  parts(): Pick<BundledImage, "manifests" | "blobs" | "expects" | "mounts" | "digestTags">;
}

/** What the destination of an image has: its repository, and which other one of the same registry has a blob. */
export interface Known {
  readonly held: Held;
  readonly elsewhere: (blob: Digest) => string | undefined;
}

/** Stands for the destination of one image of a bundle, of which something is known. */
export function gather(stage: Store, name: string, root: string | undefined, { held, elsewhere }: Known): Gathered {
  const manifests = new Map<Digest, Manifest>();
  const blobs = new Map<Digest, number>();
  const expects = new Set<Digest>();
  const mounts = new Map<Digest, string>();
  const digestTags = new Map<string, Digest>();
  const store: Store = {
    ...stage,
    name,
    // Nothing is taken for being there: the copy is to go through all of the image.
    head: async () => undefined,
    async *tags() {},
    async *referrers() {},
    async putBlob(blob, content, call) {
      if (Object.hasOwn(held.blobs, blob.digest)) {
        expects.add(blob.digest);
        return "exists";
      }
      const other = elsewhere(blob.digest);
      if (other !== undefined) {
        mounts.set(blob.digest, other);
        return "exists";
      }
      const how = await stage.putBlob(blob, content, call);
      blobs.set(blob.digest, blob.size ?? (await stage.size(blob.digest, call)) ?? 0);
      return how;
    },
    async putManifest(manifest, call) {
      await stage.putManifest(manifest, call?.signal ? { signal: call.signal } : {});
      manifests.set(manifest.descriptor.digest, manifest);
      if (call?.tag !== undefined && call.tag !== root) digestTags.set(call.tag, manifest.descriptor.digest);
    },
  };
  return {
    store,
    manifests,
    blobs,
    parts: () => ({
      manifests: [...manifests.keys()],
      blobs: [...blobs.keys()],
      expects: [...expects],
      ...(mounts.size > 0 && { mounts: Object.fromEntries(mounts) }),
      digestTags: Object.fromEntries([...digestTags].sort(([a], [b]) => (a < b ? -1 : 1))),
    }),
  };
}
