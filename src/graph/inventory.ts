import type { Digest } from "../oci/digest.ts";

/** Everything that is known of one repository, read once: what planners decide over. */
export interface Inventory {
  /** As in references: `registry.example/app`. */
  readonly repository: string;
  readonly manifests: ReadonlyMap<Digest, Held>;
  readonly tags: ReadonlyMap<string, Digest>;
  /** Whether manifests that no tag and no other manifest leads to are among them: only some services list those. */
  readonly listsUntagged: boolean;
  /** How its registry takes away one tag of an image that stays, where that is not simply done. */
  readonly tagDeletion?: "impossible" | "takes the image along" | "not everywhere";
  /** What is there but could not be read: nobody knows what it needs. */
  readonly gaps: readonly Gap[];
}

/** A manifest that a repository has. Moments are milliseconds since 1970. */
export interface Held {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Bytes of the manifest itself; of what is unread, of all of it as the service counts, or 0 where it does not tell. */
  readonly size: number;
  /** Config and layers. */
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  /** The manifests that an index is made of, whether they are there or not. */
  readonly children: readonly Digest[];
  /** What it is attached to, whether that is there or not. */
  readonly subject?: Digest;
  readonly tags: readonly string[];
  /** When it came to the registry, and when it was last pulled, where a service tells. */
  readonly pushed?: number;
  readonly pulled?: number;
  /** When it says it was built. */
  readonly created?: number;
  readonly platforms?: readonly string[];
  readonly immutable?: boolean;
  /** `archived`, `locked`: absent for what can be used as usual. */
  readonly state?: string;
  /** It was only listed: its blobs are not known, nor is anything else that the list does not tell. */
  readonly unread?: true;
}

export interface Gap {
  /** `registry.example/app@sha256:...`, or a tag, or the repository. */
  readonly at: string;
  readonly why: string;
}
