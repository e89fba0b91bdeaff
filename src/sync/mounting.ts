import type { Digest } from "../oci/digest.ts";
import type { Content } from "../oci/stream.ts";
import type { Call, Store } from "../store/store.ts";

/** The repository that a bundled image is for, and which other one of its registry has a blob that the bundle leaves to it. */
export interface Bundled {
  readonly repository: string;
  holder(blob: Digest, call?: Call): Promise<string | undefined>;
}

/** A destination that takes from its other repositories what a bundle leaves to them: by a mount, or else read there. */
export function mounting(
  store: Store,
  { registry, repository }: { readonly registry: string; readonly repository: string },
  bundled: Bundled,
  open: (at: string) => Store,
): Store {
  // Where images go to another registry, or below a path, all repositories do.
  const below = repository.slice(0, Math.max(0, repository.length - bundled.repository.length));
  return {
    ...store,
    async putBlob(blob, content, call) {
      const holder = await bundled.holder(blob.digest, call);
      if (holder === undefined) return store.putBlob(blob, content, call);
      const other = `${below}${holder}`;
      const read: Content = () => open(`${registry}/${other}@${blob.digest}`).blob(blob.digest, call);
      return store.putBlob(blob, read, { ...call, mountFrom: other });
    },
  };
}
