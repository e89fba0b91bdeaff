import type { CopyEvent } from "../graph/copy.ts";
import type { Inventory } from "../graph/inventory.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryError } from "../oci/error.ts";
import type { Call, Store } from "../store/store.ts";
import type { TagRules } from "./before.ts";
import type { CopyImage, SetImmutability } from "./plan.ts";

/** A repository, or another place, and what in it is meant. */
export interface Spot {
  /** The place without tag and digest: `registry.example/app`, `oci:DIR`. */
  readonly place: string;
  readonly store: Store;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** What plans are applied with: who can open places, and knows by which route a service deletes. */
export interface Hands {
  /** Opens a location of a plan; the same store for all locations in one place. Throws INVALID. */
  open(at: string): Spot;
  /** A repository as it is now, with those of the manifests in `also` that are there, though no tag may lead to them. */
  inventory(repository: string, call?: Call & { readonly also?: Iterable<Digest> }): Promise<Inventory>;
  deleteTag(repository: string, tag: string, call?: Call): Promise<void>;
  deleteManifests(
    repository: string,
    digests: readonly Digest[],
    call?: Call,
  ): AsyncIterable<{
    readonly digest: Digest;
    readonly outcome: "deleted" | "absent" | "failed";
    readonly error?: RegistryError;
  }>;
  createRepository(repository: string, call?: Call): Promise<"created" | "exists">;
  deleteRepository(repository: string, call?: Call): Promise<void>;
  immutability(repository: string, call?: Call): Promise<TagRules>;
  setImmutability(step: SetImmutability, call?: Call): Promise<void>;
  /**
   * Copies images from one place, each read once however many places it goes to, and tells how each step went. `jobs` of the
   * first call is how many images are under way at a time, over all calls. A tag that is not as the plan says is a CONFLICT.
   * `putting` puts a step's image itself, when all it needs is there; it is not called where the image is there already.
   */
  copy(
    steps: readonly CopyImage[],
    options?: Call & {
      readonly limitRate?: number;
      readonly jobs?: number;
      readonly putting?: (id: string, put: () => Promise<void>) => Promise<void>;
      readonly onEvent?: (event: CopyEvent) => void;
    },
  ): AsyncIterable<{
    readonly id: string;
    readonly bytes?: number;
    /** The tag named the image already, and no blob was sent. */
    readonly wasThere?: boolean;
    readonly error?: unknown;
  }>;
}
