import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest, DigestAlgorithm, Digester } from "../../oci/digest.ts";
import type { ByteStream } from "../../oci/stream.ts";

/** A value now, or a promise of one: what is in memory need not wait. */
export type Soon<T> = T | Promise<T>;

export interface StorageOptions {
  /** Milliseconds of the epoch; the system's. */
  readonly now?: () => number;
}

/** Where a registry keeps what it is given. Making one does nothing yet. */
export interface Storage {
  /** Opens it for this process alone; throws CONFLICT where another has it open. */
  open(): Promise<OpenStorage>;
}

export interface OpenStorage {
  readonly blobs: BlobStorage;
  readonly metadata: Metadata;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** The first byte and the one after the last; the whole blob, where absent. */
  readonly range?: { readonly start: number; readonly end: number };
  /** Pieces may be overwritten once the next is asked for. */
  readonly transient?: boolean;
}

/** Bytes by digest, shared by all repositories. Nothing is there until it is whole, verified and durable. */
export interface BlobStorage {
  /** How many bytes are stored, as the storage has them now; undefined where there are none. */
  size(digest: Digest): Soon<number | undefined>;
  /** The bytes, or undefined unless exactly `size` of them are stored. */
  read(digest: Digest, size: number, options?: ReadOptions): Soon<Uint8Array | ByteStream | undefined>;
  /** Stores bytes whose digest the caller has checked, over whatever is there: so a damaged blob heals. They are not changed after. */
  write(digest: Digest, pieces: readonly Uint8Array[]): Promise<void>;
  /**
   * Opens the unfinished upload of this name, of which `size` bytes have been kept, making it where there are none.
   * Throws BLOB_UPLOAD_UNKNOWN where it has another size. One at a time holds it open.
   */
  openUpload(name: string, size: number): Promise<UploadFile>;
  /** How many bytes of an upload have been kept, and by a restart too; undefined where there is none. */
  uploadSize(name: string): Promise<number | undefined>;
  /** A digester that has seen what has been kept of an upload, ready for more. */
  digestUpload(name: string, algorithm: DigestAlgorithm): Promise<Digester>;
  removeUpload(name: string): Promise<void>;
  /** Removes uploads that nobody has written to since `before`, in milliseconds of the epoch. */
  sweepUploads(before: number): Promise<void>;
}

export interface UploadFile {
  /** Appends a piece and keeps it; the promise, where there is one, is to be awaited before the next piece. */
  write(piece: Uint8Array): Promise<void> | undefined;
  /** Ends the appending; what was written stays. */
  close(): Promise<void>;
  /** Makes the upload the blob of this digest, over whatever is there, and closes it. Durable once it resolves. */
  commit(digest: Digest): Promise<void>;
}

export interface StoredManifest {
  /** As referrers list it, with artifact type and annotations. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly subject?: Digest;
  /** When its config says that it was built, and what it runs on, as `os/architecture`. */
  readonly created?: string;
  readonly platform?: string;
}

/** A manifest with what became of it since; moments are milliseconds of the epoch, and absent where they are not known. */
export interface ManifestRecord {
  readonly manifest: StoredManifest;
  /** In byte order. */
  readonly tags: readonly TagRecord[];
  /** The last push of it, by whatever tag. */
  readonly pushed?: number;
  /** To within an hour. */
  readonly pulled?: number;
}

export interface TagRecord {
  readonly name: string;
  /** When it came to name this manifest. */
  readonly moved?: number;
}

/** A place in an inventory: after this tag of this manifest, or after the manifest's own row where it has none. */
export interface InventoryPlace {
  readonly digest: Digest;
  readonly tag: string;
}

export interface InventoryPage {
  readonly after?: InventoryPlace;
  /** How many tags, and manifests without a tag. */
  readonly limit: number;
  /** Stops before its manifests have more bytes than these, but after the first at the earliest. */
  readonly bytes: number;
}

export interface InventoryPart {
  readonly records: readonly ManifestRecord[];
  /** Where the next page begins; absent on the last. */
  readonly next?: InventoryPlace;
}

/** A part of a list in byte order: what comes after `after`, at most `limit`. */
export interface Page {
  readonly after?: string;
  readonly limit: number;
}

export interface ReferrersPage extends Page {
  /** Stops once it lists this many bytes of JSON, but after the first at the earliest. */
  readonly bytes: number;
  /** Only those of one of these types. */
  readonly artifactTypes?: readonly string[];
}

export interface Referrers {
  readonly descriptors: readonly Descriptor[];
  /** Whether there are more after the last. */
  readonly more: boolean;
}

/**
 * Which repository has what. A write is all or nothing, is seen by every read that starts after it, and is durable
 * once its promise resolves. A repository comes to be with the first thing in it.
 */
export interface Metadata {
  /** By tag or digest. */
  manifest(repository: string, ref: string): Soon<StoredManifest | undefined>;
  /** A blob's size, where this repository has it. */
  blob(repository: string, digest: Digest): Soon<number | undefined>;
  /** Repositories that have a blob, at most `limit`. */
  holders(digest: Digest, limit: number): Soon<readonly string[]>;
  /** Undefined where there is no such repository. */
  tags(repository: string, page: Page): Soon<readonly string[] | undefined>;
  /** Those with a manifest in them. */
  repositories(page: Page): Soon<readonly string[]>;
  /** What has this subject, in order of digest. */
  referrers(repository: string, subject: Digest, page: ReferrersPage): Soon<Referrers>;
  /**
   * All manifests in order of digest. One with more tags than fit into a page is on the next again, with the others.
   * Undefined where there is no such repository.
   */
  inventory(repository: string, page: InventoryPage): Soon<InventoryPart | undefined>;

  /** Takes note of a pull, and returns at once: that it is durable some minutes later is enough, and it never throws. */
  notePull(repository: string, manifest: StoredManifest): void;

  linkBlob(repository: string, blob: { readonly digest: Digest; readonly size: number }): Promise<void>;
  /** Whether it was there. */
  unlinkBlob(repository: string, digest: Digest): Promise<boolean>;
  /**
   * Stores a manifest and points tags at it, unless something it needs is in the repository neither as a blob nor as a
   * manifest at that moment: then it says what, and nothing has happened.
   */
  putManifest(
    repository: string,
    manifest: StoredManifest,
    options: { readonly tags: readonly string[]; readonly needs: readonly Digest[] },
  ): Promise<Digest | undefined>;
  /** Whether it was there. */
  deleteTag(repository: string, tag: string): Promise<boolean>;
  /** Whether it was there; its tags go with it. */
  deleteManifest(repository: string, digest: Digest): Promise<boolean>;
}
