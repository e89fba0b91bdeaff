import type { Digest } from "../oci/digest.ts";
import { isRegistryError } from "../oci/error.ts";
import { isIndexType, isSchema1 } from "../oci/media-types.ts";
import type { Call, Source } from "../store/store.ts";
import type { Held } from "./inventory.ts";
import type { Content, Known } from "./known.ts";

/** What a service lists of an image beyond the distribution API; moments are RFC 3339. */
export interface Listed {
  readonly digest?: Digest;
  readonly tags: readonly string[];
  readonly pushed?: string;
  readonly pulled?: string;
  readonly created?: string;
  readonly platforms?: readonly string[];
  readonly mediaType?: string;
  readonly artifactType?: string;
  /** In bytes, as the service counts them. */
  readonly size?: number;
  readonly subject?: Digest;
  readonly children?: readonly Digest[];
  /** All that its manifest says, which then is not fetched. */
  readonly content?: Content;
  readonly immutable?: boolean;
  readonly state?: string;
}

/** What a manifest is made of; `unread` where that is only what a list tells. */
export type Found = Content & Pick<Held, "unread">;

/** Reads manifests by the cheapest way that tells what they are made of. */
export interface ManifestReader {
  /** One that is named by its digest, and listed or not. */
  read(digest: Digest, told: Listed | undefined): Promise<Found | undefined>;
  /** One GET. */
  fetch(ref: string): Promise<Found | undefined>;
}

export function manifestReader(
  from: Source,
  { known, sparing, signal }: Call & { readonly known: Known; readonly sparing: boolean },
): ManifestReader {
  return { read, fetch };

  async function read(digest: Digest, told: Listed | undefined): Promise<Found | undefined> {
    const content = known.content(digest);
    if (content) {
      const isThere = told ?? (known.wasIn(from.name, digest) || (await from.head(digest, { signal })));
      return isThere ? content : undefined;
    }
    if (told?.content) return told.content;
    // What has a state cannot be pulled.
    const outline = sparing || told?.state !== undefined ? await outlined(digest, told) : undefined;
    return outline ?? fetch(digest);
  }

  async function fetch(ref: string): Promise<Found | undefined> {
    try {
      const manifest = await from.manifest(ref, { signal });
      return manifest && known.learn(manifest);
    } catch (error) {
      if (!isRegistryError(error, "UNSUPPORTED")) throw error;
      const head = await from.head(ref, { signal });
      // Docker's oldest kind is not read, but has neither parts nor a subject.
      if (!head || !isSchema1(head.mediaType)) throw error;
      const { digest, mediaType, size } = head;
      return { digest, mediaType, size, blobs: [], children: [], unread: true };
    }
  }

  /** A manifest without a fetch; undefined where that leaves open of what parts it is. */
  async function outlined(digest: Digest, told: Listed | undefined): Promise<Found | undefined> {
    const head = told?.mediaType === undefined ? await from.head(digest, { signal }) : undefined;
    const mediaType = told?.mediaType ?? head?.mediaType;
    if (mediaType === undefined || (isIndexType(mediaType) && !told?.children)) return undefined;
    const { artifactType, subject, children = [], size = head?.size ?? 0 } = told ?? {};
    return {
      digest,
      mediaType,
      size,
      blobs: [],
      children,
      unread: true,
      ...(artifactType !== undefined && { artifactType }),
      ...(subject && { subject }),
    };
  }
}
