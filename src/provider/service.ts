import type { Content } from "../graph/known.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryError } from "../oci/error.ts";
import type { LifecycleDialect } from "../policy/lifecycle/dialects.ts";
import type { Call, Registry } from "../store/store.ts";

/**
 * A registry with all that its service does beyond the distribution API. What a service cannot do throws UNSUPPORTED with
 * what to do instead; what is not there is `undefined` or, where it was to be changed, NAME_UNKNOWN or MANIFEST_UNKNOWN.
 * Names of repositories are as in references, without the host; moments are RFC 3339 in UTC.
 */
export interface ServiceRegistry extends Registry {
  /** The repositories whose names start with `prefix`, with what the cheapest listing tells of them. */
  listRepositories(prefix?: string, call?: Call): AsyncIterable<RepositoryInfo>;
  describeRepository(repository: string, call?: Call): Promise<RepositoryInfo | undefined>;
  /**
   * The images of a repository by the cheapest calls that the service has; the first come before the last page is asked
   * for. A service that lists tags yields an image once for each of its tags. Throws NAME_UNKNOWN; with `own`, UNSUPPORTED
   * where it is not the service that lists them, but every image would be read.
   */
  images(repository: string, call?: Call & { readonly own?: boolean }): AsyncIterable<ImageInfo>;
  search(query: SearchQuery, call?: Call): AsyncIterable<SearchResult>;
  createRepository(repository: string, call?: Call): Promise<"created" | "exists">;
  /** With `force` also one that has images; without, that throws DENIED or CONFLICT. */
  deleteRepository(repository: string, call?: Call & { readonly force?: boolean }): Promise<void>;
  /** Takes one tag away; its manifest and its other tags stay. */
  deleteTag(repository: string, tag: string, call?: Call): Promise<void>;
  /** Takes manifests away with all their tags, in batches where the service has them, and tells of each how it went. */
  deleteManifests(repository: string, digests: readonly Digest[], call?: Call): AsyncIterable<Deletion>;
  immutability(repository: string, call?: Call): Promise<Immutability>;
  setImmutability(repository: string, immutability: Immutability, call?: Call): Promise<void>;
  /** The policy by which the service deletes images by itself. */
  lifecycle(repository: string, call?: Call): Promise<LifecyclePolicy | undefined>;
  /** Sets a policy, the document as the service itself has it. Throws INVALID with the place of what the service would refuse. */
  setLifecycle(repository: string, document: unknown, call?: Call): Promise<LifecyclePolicy>;
  deleteLifecycle(repository: string, call?: Call): Promise<void>;
  /** What the service says that a policy would delete; without a document, the one that is set. */
  previewLifecycle(repository: string, document?: unknown, call?: Call): AsyncIterable<LifecycleMatch>;
  /** Labels (AWS: tags) of a repository. */
  labels(repository: string, call?: Call): Promise<Readonly<Record<string, string>>>;
  replication(call?: Call): AsyncIterable<ReplicationRule>;
  /** What the service's own scanner found in an image; `ref` is a tag or digest. */
  findings(repository: string, ref: string, call?: Call): Promise<Findings>;
  /** What is left of the limits that the service sets to this login. */
  allowances(call?: Call): Promise<readonly Allowance[]>;
}

export interface RepositoryInfo {
  readonly name: string;
  readonly created?: string;
  readonly updated?: string;
  readonly tags?: number;
  readonly images?: number;
  /** Bytes, as the service counts them. */
  readonly size?: number;
  readonly description?: string;
  readonly visibility?: "public" | "private";
  readonly stars?: number;
  readonly pulls?: number;
  readonly immutability?: Immutability;
  /** Locked, archived, being deleted: what keeps it from being used as usual. */
  readonly state?: string;
}

/**
 * What an image's `size` counts, in bytes: one manifest's config and layers; of an index, its largest child, or all
 * children with what they share counted once or each time; or what the service does not explain.
 */
export type SizeKind = "manifest" | "largest child" | "children" | "children, shared counted twice" | "unexplained";

export interface ImageInfo {
  /** Absent where the service does not tell it with the tag. */
  readonly digest?: Digest;
  readonly tags: readonly string[];
  /** When it came to the registry: what retention may go by. */
  readonly pushed?: string;
  /** When it was last pulled, as far as the service records it. */
  readonly pulled?: string;
  /** When it says it was built: whoever built it decides, and reproducible builds say 1970. */
  readonly created?: string;
  readonly size?: number;
  readonly sizeKind?: SizeKind;
  readonly platforms?: readonly string[];
  readonly mediaType?: string;
  readonly artifactType?: string;
  /** The manifest that it is attached to. */
  readonly subject?: Digest;
  /** The manifests it is made of, where the service tells. */
  readonly children?: readonly Digest[];
  /** All that its manifest says of what it is made of and attached to, where the service tells that: it need not be fetched. */
  readonly content?: Content;
  readonly immutable?: boolean;
  /** `archived`, `locked`, `deleted`: absent for what can be pulled. */
  readonly state?: string;
}

export interface SearchQuery {
  readonly term: string;
  /** How many results at most. */
  readonly limit?: number;
  readonly official?: boolean;
  readonly automated?: boolean;
  /** At least so many. */
  readonly stars?: number;
}

export interface SearchResult {
  /** As it is pulled: with the registry's host. */
  readonly reference: string;
  readonly name: string;
  readonly description?: string;
  readonly stars?: number;
  readonly pulls?: number;
  readonly official?: boolean;
  readonly automated?: boolean;
}

export interface Deletion {
  readonly digest: Digest;
  /** The tags that went with it, where the service tells. */
  readonly tags?: readonly string[];
  readonly outcome: "deleted" | "absent" | "failed";
  /** Why it failed. */
  readonly error?: RegistryError;
}

/** Whether tags can be moved and deleted. */
export interface Immutability {
  readonly tags: "mutable" | "immutable";
  /** The tags for which the opposite holds. */
  readonly except?: readonly string[];
  /** How `except` is written: with `*`, with `*` and `**`, or as regular expressions. */
  readonly patterns?: "wildcard" | "doublestar" | "regex";
  /** What it holds for, where that is more than the repository: `project library`. */
  readonly scope?: string;
}

export interface LifecyclePolicy {
  readonly dialect: LifecycleDialect;
  /** As JSON, in the service's own form. */
  readonly document: unknown;
  /** What it holds for, where that is more than the repository. */
  readonly scope?: string;
}

export interface LifecycleMatch {
  readonly digest?: Digest;
  readonly tags: readonly string[];
  readonly pushed?: string;
  readonly size?: number;
  readonly action: "delete" | "archive" | "keep";
  /** Which rule, as the service names it. */
  readonly rule?: string;
}

export interface ReplicationRule {
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
  /** Which repositories. */
  readonly filter?: string;
  readonly enabled: boolean;
  readonly trigger?: string;
}

export type Severity = "critical" | "high" | "medium" | "low" | "negligible" | "unknown";

export interface Findings {
  /** `absent` where the image was never scanned. */
  readonly status: "complete" | "running" | "absent" | "unsupported" | "failed";
  /** What the service says of it, in its words. */
  readonly note?: string;
  readonly scanner?: string;
  readonly scanned?: string;
  readonly counts: Readonly<Partial<Record<Severity, number>>>;
  readonly vulnerabilities: readonly Vulnerability[];
}

export interface Vulnerability {
  /** `CVE-2024-1`, or what else the scanner calls it. */
  readonly id: string;
  readonly severity: Severity;
  readonly package?: string;
  readonly installed?: string;
  /** The version that it is mended in. */
  readonly fixed?: string;
  readonly title?: string;
  readonly url?: string;
}

/** A limit, and what is left of it. */
export interface Allowance {
  /** What is counted: `pulls`, `API requests`, `storage of project library`. */
  readonly what: string;
  readonly unit: "pulls" | "requests" | "bytes";
  readonly limit?: number;
  readonly remaining?: number;
  readonly used?: number;
  readonly windowSeconds?: number;
  readonly resetSeconds?: number;
  /** Whom it counts. */
  readonly source?: string;
  readonly unlimited?: boolean;
}
