import { digestOf, isDigest, type Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, verified } from "../../src/oci/stream.ts";
import type { Store } from "../../src/store/store.ts";

export type Damage = "missing" | "size" | "corrupt" | "unreadable";

/** A store in which some content is damaged, until it is put again; `puts` tells what was put, in order. */
export interface Damaged extends Store {
  readonly damage: Map<Digest, Damage>;
  readonly puts: string[];
}

/** Damages what a store holds: only the damage that `stubborn` names is there for good, whatever is put. */
export function damaged(
  store: Store,
  faults: readonly (readonly [digest: Digest, damage: Damage])[],
  { stubborn = [] }: { readonly stubborn?: readonly Digest[] } = {},
): Damaged {
  const damage = new Map(faults);
  const puts: string[] = [];
  const heal = (digest: Digest): void => {
    if (!stubborn.includes(digest)) damage.delete(digest);
  };
  return {
    ...store,
    damage,
    puts,
    async manifest(ref, call) {
      const manifest = await store.manifest(ref, call);
      const fault = manifest && damage.get(manifest.descriptor.digest);
      if (fault === undefined) return manifest;
      if (fault === "missing") return undefined;
      throw new RegistryError(fault === "corrupt" ? "UNVERIFIED" : "MANIFEST_INVALID", `manifest is ${fault}`);
    },
    async head(ref, call) {
      const descriptor = await store.head(ref, call);
      return isDigest(ref) && descriptor && damage.get(descriptor.digest) === "missing" ? undefined : descriptor;
    },
    async size(blob, call) {
      const size = await store.size(blob, call);
      const fault = damage.get(blob);
      if (fault === "missing") return undefined;
      if (fault === "unreadable") throw new RegistryError("CORRUPT", "blob is unreadable");
      return fault === "size" && size !== undefined ? size + 1 : size;
    },
    async blob(blob, call) {
      const fault = damage.get(blob);
      if (fault === "missing") throw new RegistryError("BLOB_UNKNOWN", "blob is missing");
      const stream = await store.blob(blob);
      if (fault === undefined) return stream;
      const bytes = Uint8Array.from(await collect(stream, 10_000_000));
      bytes[0]! ^= 1;
      return verified(
        {
          async *[Symbol.asyncIterator]() {
            yield bytes;
          },
        },
        { digest: blob, size: call?.size },
      );
    },
    async putBlob(blob, content, call) {
      const fault = damage.get(blob.digest);
      if (fault === undefined) return store.putBlob(blob, content, call);
      if (fault !== "missing" && !call?.replace) return "exists";
      const bytes = await collect(verified(await content(), blob), 10_000_000);
      if (digestOf(bytes) !== blob.digest) throw new RegistryError("UNVERIFIED", "wrong bytes were put");
      puts.push(`blob ${blob.digest}`);
      heal(blob.digest);
      return "written";
    },
    async putManifest(manifest, call) {
      await store.putManifest(manifest, call);
      puts.push(`manifest ${manifest.descriptor.digest}${call?.tag === undefined ? "" : ` ${call.tag}`}`);
      heal(manifest.descriptor.digest);
    },
  };
}
