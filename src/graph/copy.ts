import type { Digest } from "../oci/digest.ts";
import { isBroken } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isForeignLayer, isImageManifestType } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import type { Call, Put, Source, Store } from "../store/store.ts";
import { attachments } from "./attachments.ts";
import { blobMover, type BlobTally } from "./copy-blob.ts";
import { immutableFault } from "./immutable.ts";
import { checkNesting, type Outline } from "./nesting.ts";
import { fetcher, prepare, type Prepared } from "./prepare.ts";
import { running, tallyBlobs, type Running } from "./running.ts";
import { nameOf, sided } from "./sides.ts";
import { singleFlight } from "./single-flight.ts";

/** What a copy tells while it works. */
export type CopyEvent =
  /** A blob that belongs to the copy was found. */
  | { readonly type: "found"; readonly digest: Digest; readonly size: number; readonly mediaType: string }
  /** Bytes of a blob were read since the last event. */
  | { readonly type: "bytes"; readonly digest: Digest; readonly count: number }
  /** A blob is at a destination now. */
  | { readonly type: "blob"; readonly digest: Digest; readonly size: number; readonly how: Put; readonly to: string }
  /** A manifest is at a destination now. */
  | {
      readonly type: "manifest";
      readonly digest: Digest;
      readonly mediaType: string;
      readonly tag?: string;
      readonly to: string;
    };

export interface CopyOptions extends Call {
  /** The platforms of an index to copy, in this order; all where none are named. One is copied as the image itself. */
  readonly platforms?: readonly Platform[];
  /** Whether what is attached goes along: referrers and `sha256-*` tags, of the index and of its children. Default: yes. */
  readonly referrers?: boolean;
  /** Leaves a tag alone that the destination has already. */
  readonly noClobber?: boolean;
  /** Whether a tag never moves: one that the destination has with another digest throws DENIED, before anything is sent. */
  readonly immutable?: (tag: string) => boolean;
  /** Only looks: sends no write request. */
  readonly dryRun?: boolean;
  /** Turns Docker's manifests into OCI's, which changes their digests. */
  readonly convert?: "oci";
  /** How many blobs move to a destination at a time; 16. */
  readonly jobs?: number;
  /** Bytes a second, over all blobs. */
  readonly limitRate?: number;
  readonly onEvent?: (event: CopyEvent) => void;
}

/** Where a copy goes. */
export interface Destination {
  readonly store: Store;
  /** The tags it gets there, in place of the one that `copy` is told; `undefined` is by digest alone. */
  readonly tags?: readonly (string | undefined)[];
  /** A repository of the same registry that may have the blobs already. */
  readonly mountFrom?: string;
}

/** What a copy of one image did at one destination. */
export interface CopyResult {
  readonly from: string;
  readonly to: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** `unchanged`: the tag named this digest there already; `kept`: left alone for `noClobber`. */
  readonly outcome: "copied" | "unchanged" | "kept";
  /** Manifests put, those of referrers and tags that went along included. */
  readonly manifests: number;
  readonly blobs: BlobTally;
  /** Bytes written. */
  readonly bytes: number;
  readonly referrers: number;
  readonly digestTags: number;
}

/** How a copy ended at one destination; a destination that fails does not stop the others. */
export type Outcome =
  | { readonly result: CopyResult; readonly attachedTags: readonly string[] }
  | { readonly to: string; readonly error: unknown };

/** Copies images from one repository to others; what several images share moves once. */
export interface Copier {
  /** Copies what `ref` (a tag or digest) names, under `tag` where one is given; an outcome for each tag at each destination. */
  copy(ref: string, tag?: string): Promise<readonly Outcome[]>;
  /** As `copy`, but a destination whose tag names the same digest already gets only what is attached and new. */
  update(tag: string): Promise<readonly Outcome[]>;
}

type Done = Extract<Outcome, { result: CopyResult }>;

/**
 * Makes a copier between one source and some destinations. At each destination the first failure stops the rest of that
 * copy, which settles before it is reported; the error's `side` says which end failed. Nothing is visible under a tag
 * before all it needs is there, so that an interrupted copy is finished by running it again.
 */
export function copier(from: Source, destinations: readonly Destination[], options: CopyOptions = {}): Copier {
  const blobs = blobMover(from, destinations, options);
  const flights = destinations.map(() => singleFlight<Digest, void>());
  const attached = options.referrers === false ? undefined : attachments(from);

  /** Puts a manifest after all it needs, each digest once a destination. */
  async function put(manifest: Manifest, copy: Running, tag?: string, depth = 1): Promise<void> {
    const { digest } = manifest.descriptor;
    checkNesting(manifest, depth, copy.image);
    const { first } = await flights[copy.at]!.run(digest, copy.signal, async () => {
      await putContent(manifest, copy, depth);
      await putOnly(manifest, copy, tag);
    });
    if (!first && tag !== undefined) await putOnly(manifest, copy, tag);
  }

  async function putContent(manifest: Manifest, copy: Running, depth: number): Promise<void> {
    const children = manifest.manifests.map(async (child) =>
      put(await copy.manifest(child), copy, undefined, depth + 1),
    );
    const moves = manifest.blobs
      .filter((blob) => !isForeignLayer(blob.mediaType))
      .map(async (blob) => {
        const how = await blobs.move(blob, copy.at, copy.signal);
        // What several platforms share was brought by one of them, and is there already for the others.
        if (how !== "exists" || !copy.settled.has(blob.digest)) copy.settled.set(blob.digest, how);
        if (how === "written") copy.tally.bytes += blob.size;
      });
    await copy.all([...children, ...moves]);
  }

  async function putOnly(manifest: Manifest, copy: Running, tag?: string): Promise<void> {
    const { store } = destinations[copy.at]!;
    const { digest, mediaType } = manifest.descriptor;
    if (options.dryRun) {
      const there = await sided("destination", () => store.head(tag ?? digest, copy));
      if (there?.digest === digest) return;
    } else {
      await sided("destination", () =>
        store.putManifest(manifest, { signal: copy.signal, ...(tag !== undefined && { tag }) }),
      );
    }
    copy.tally.manifests += 1;
    options.onEvent?.({ type: "manifest", digest, mediaType, to: store.name, ...(tag !== undefined && { tag }) });
  }

  async function putAttached(root: Outline, copy: Running): Promise<void> {
    for await (const level of attached?.of(root, copy) ?? []) {
      await copy.all(
        level.map(async ({ manifest, tag }) => {
          await put(manifest, copy, tag);
          copy.tally[tag === undefined ? "referrers" : "digestTags"] += 1;
          if (tag !== undefined) copy.attachedTags.push(tag);
        }),
      );
    }
  }

  async function copyTo(at: number, work: Prepared | Unchanged, ref: string, tag?: string): Promise<Done> {
    const { store } = destinations[at]!;
    const unchanged = "there" in work;
    const root = unchanged ? work.there : work.root;
    const copy = running(nameOf(from, ref), at, work.manifest, options.signal);
    const isFixed = tag !== undefined && options.immutable?.(tag);
    const there =
      tag !== undefined && (options.noClobber || isFixed)
        ? await sided("destination", () => store.head(tag, copy))
        : undefined;
    const held = options.noClobber ? there : undefined;
    if (isFixed && there && !held && there.digest !== root.descriptor.digest)
      throw immutableFault(nameOf(store, tag), there.digest);
    if (!held) {
      if (!unchanged) await put(work.root, copy, tag);
      await putAttached(root, copy);
    }
    const { digest, mediaType } = held ?? root.descriptor;
    const blobs = tallyBlobs(copy.settled);
    const nothing = options.dryRun === true && copy.tally.manifests === 0 && blobs.written + blobs.mounted === 0;
    const outcome = held ? "kept" : unchanged || nothing ? "unchanged" : "copied";
    const result = {
      from: nameOf(from, ref),
      to: nameOf(store, tag ?? digest),
      digest,
      mediaType,
      outcome,
      ...copy.tally,
      blobs,
    } as const;
    return { result, attachedTags: copy.attachedTags };
  }

  /** Runs a copy at every destination, each on its own, and under each of its tags. */
  async function everywhere(
    ref: string,
    tag: string | undefined,
    work: (at: number, tag?: string) => Promise<Done>,
  ): Promise<readonly Outcome[]> {
    const outcomes = destinations.map(async ({ store, tags = [tag] }, at) => {
      const done: Outcome[] = [];
      blobs.join(at);
      for (const one of tags) {
        done.push(await work(at, one).catch((error: unknown) => ({ to: nameOf(store, one ?? ref), error })));
      }
      blobs.leave(at);
      return done;
    });
    return (await Promise.all(outcomes)).flat();
  }

  const prepareOnce = (ref: string): (() => Promise<Prepared>) => {
    let prepared: Promise<Prepared> | undefined;
    return () => (prepared ??= prepare(from, ref, options));
  };

  return {
    copy(ref, tag) {
      const prepared = prepareOnce(ref);
      return everywhere(ref, tag, async (at, own) => copyTo(at, await prepared(), ref, own));
    },
    update(tag) {
      const prepared = prepareOnce(tag);
      const source = sided("source", () => from.head(tag, options));
      return everywhere(tag, tag, async (at) => {
        const [wanted, there] = await Promise.all([
          source,
          sided("destination", () => findOutline(destinations[at]!, tag, options)),
        ]);
        const same =
          there && !options.platforms?.length && !options.convert && wanted?.digest === there.descriptor.digest;
        // An equal digest means equal bytes: what is attached is found without another GET at the source.
        if (same) return copyTo(at, { there, manifest: fetcher(from, options.signal) }, tag, tag);
        return copyTo(at, await prepared(), tag, tag);
      });
    },
  };
}

/** A copy of what the destination's tag names already. */
interface Unchanged extends Pick<Prepared, "manifest"> {
  readonly there: Outline;
}

/**
 * What a tag names at a destination, and the manifests below it: that takes the bytes of an index only. What cannot be
 * read there is to be put anew.
 */
async function findOutline({ store }: Destination, tag: string, call: Call): Promise<Outline | undefined> {
  try {
    const descriptor = await store.head(tag, call);
    if (descriptor && isImageManifestType(descriptor.mediaType)) return { descriptor, manifests: [] };
    return descriptor && (await store.manifest(tag, call));
  } catch (error) {
    if (isBroken(error)) return undefined;
    throw error;
  }
}
