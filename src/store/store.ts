import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { ByteStream, Content } from "../oci/stream.ts";

export interface Call {
  readonly signal?: AbortSignal;
}

/** One repository, to read. What is not there is `undefined`; what is there but broken throws. */
export interface Source {
  /** What it is, for messages: `registry.example/app`, `oci:images`. */
  readonly name: string;
  /** Resolves a tag or digest without fetching the manifest. */
  head(ref: string, call?: Call): Promise<Descriptor | undefined>;
  /** Fetches the manifest of a tag or digest: size-capped, its digest checked. */
  manifest(ref: string, call?: Call): Promise<Manifest | undefined>;
  /** A blob's size in bytes. */
  size(blob: Digest, call?: Call): Promise<number | undefined>;
  /**
   * A blob's bytes, always verified: the stream throws UNVERIFIED at its end where they are wrong. Throws BLOB_UNKNOWN.
   * With `transient`, a piece may be overwritten once the next is asked for: faster, for who passes bytes on at once.
   */
  blob(blob: Digest, call?: Call & { readonly transient?: boolean; readonly size?: number }): Promise<ByteStream>;
  /** All tags, in byte order where the store has one. */
  tags(call?: Call): AsyncIterable<string>;
  /**
   * The manifests whose subject is `subject`, which itself need not be there (distribution-spec, "Listing Referrers").
   * `knownTags`, all tags of the repository, saves asking for the fallback tag of a registry without that API.
   */
  referrers(
    subject: Digest,
    call?: Call & { readonly artifactType?: string; readonly knownTags?: ReadonlySet<string> },
  ): AsyncIterable<Descriptor>;
  /** Lets go of files and connections; what was put and not flushed into an archive is dropped. Safe to call twice. */
  close(): Promise<void>;
}

export type Put = "exists" | "mounted" | "written";

/** One repository, to read and write. A store that cannot do one of these throws UNSUPPORTED with a hint. */
export interface Store extends Source {
  /**
   * Makes sure that a blob is there, and says how. `content` is opened only if the bytes are needed, and again on a
   * retry; bytes that are not `digest` throw UNVERIFIED and leave nothing behind. `mountFrom` names a repository of the
   * same registry that has the blob. A store copies what it keeps of a piece before it asks for the next. With
   * `replace` the bytes are sent even where the blob is there already: to put a good one over a damaged one.
   */
  putBlob(
    blob: { readonly digest: Digest; readonly size?: number },
    content: Content,
    call?: Call & { readonly mountFrom?: string; readonly replace?: boolean },
  ): Promise<Put>;
  /** Stores the manifest's very bytes, under its digest and, where given, a tag; all or nothing. */
  putManifest(manifest: Manifest, call?: Call & { readonly tag?: string }): Promise<void>;
  /** Takes one tag away; its manifest and its other tags stay. Throws MANIFEST_UNKNOWN where there is no such tag. */
  deleteTag(tag: string, call?: Call): Promise<void>;
  /** Takes a manifest away with all its tags. Throws MANIFEST_UNKNOWN where it is not there. */
  deleteManifest(digest: Digest, call?: Call): Promise<void>;
  /** Makes all that was put visible and durable, where a put by itself does not: an archive is written out here. */
  flush(call?: Call): Promise<void>;
}

/** Many repositories behind one name. */
export interface Registry {
  /** Its `host[:port]`. */
  readonly name: string;
  /** The names of its repositories that start with `prefix`. */
  repositories(prefix?: string, call?: Call): AsyncIterable<string>;
  repository(name: string): Store;
}
