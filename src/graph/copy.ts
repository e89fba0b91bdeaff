import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Call, Put, Source, Store } from "../store/store.ts";
import { blobMover, type BlobTally } from "./copy-blob.ts";
import { manifestMover } from "./copy-manifest.ts";
import { immutableFault } from "./immutable.ts";
import type { Lane } from "./lane.ts";
import type { Outline } from "./nesting.ts";
import { fetcher, prepare, type Prepared } from "./prepare.ts";
import type { Throttle } from "./rate.ts";
import { running, tallyBlobs } from "./running.ts";
import { nameOf, sided } from "./sides.ts";
import { findOutline, findTag, moved, outlineOf, type Unchanged } from "./unchanged.ts";

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
  /** Whether a tag never moves: one that the destination has with another digest throws REFUSED, before anything is sent. */
  readonly immutable?: (tag: string) => boolean;
  /** Only looks: sends no write request. */
  readonly dryRun?: boolean;
  /** Turns Docker's manifests into OCI's, which changes their digests. */
  readonly convert?: "oci";
  /** How many blobs move to a destination at a time; 16. */
  readonly jobs?: number;
  /** Bytes a second, over all blobs; or what slows them down together with those of other copies. */
  readonly limitRate?: number | Throttle;
  readonly onEvent?: (event: CopyEvent) => void;
}

/** Where a copy goes. */
export interface Destination {
  readonly store: Store;
  /** The tags it gets there, in place of the one that `copy` is told; `undefined` is by digest alone. */
  readonly tags?: readonly (string | undefined)[];
  /** What a tag of the source is called there; the same where nothing is said. */
  readonly tagFor?: (tag: string) => string;
  /** A repository of the same registry that may have the blobs already. */
  readonly mountFrom?: string;
  /** Shared with copies to other repositories of the same registry: each blob goes there once, and is mounted into the others. */
  readonly lane?: Lane;
}

/** What a tag of the source is called at a destination. */
export function tagAt({ tagFor }: Destination, tag: string): string {
  return tagFor ? tagFor(tag) : tag;
}

/** A tag that an image gets at a destination, if any. */
export interface CopyTarget {
  readonly tag?: string;
  /** What the tag names there now, or null; anything else but the image itself is a CONFLICT. */
  readonly before?: Digest | null;
  /** Puts the image itself, when all it needs is there; not called for one that is there already. */
  readonly putting?: (put: () => Promise<void>) => Promise<void>;
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
  /** Copies what a digest names, at each destination under tags of its own, and tells how each ended, as it ends. */
  place(
    digest: Digest,
    targets: readonly (readonly CopyTarget[])[],
    onEnd: (outcome: Outcome, target: CopyTarget) => void,
  ): Promise<void>;
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
  const manifests = manifestMover(from, destinations, blobs, options);

  async function copyTo(at: number, work: Prepared | Unchanged, ref: string, target: CopyTarget): Promise<Done> {
    const { store } = destinations[at]!;
    const { tag } = target;
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
      if (!unchanged) await manifests.put(work.root, copy, target);
      await manifests.putAttached(root, copy);
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

  /** Runs a copy at every destination, each on its own, and for each of its targets in turn. */
  async function everywhere(
    ref: string,
    targetsOf: (destination: Destination, at: number) => readonly CopyTarget[],
    work: (at: number, target: CopyTarget) => Promise<Done>,
    onEnd?: Parameters<Copier["place"]>[2],
  ): Promise<readonly Outcome[]> {
    const outcomes = destinations.map(async (destination, at) => {
      const done: Outcome[] = [];
      blobs.join(at);
      for (const target of targetsOf(destination, at)) {
        const to = nameOf(destination.store, target.tag ?? ref);
        const outcome = await work(at, target).catch((error: unknown): Outcome => ({ to, error }));
        done.push(outcome);
        onEnd?.(outcome, target);
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

  /** One that is there, with no need to read it at the source: an equal digest means equal bytes. */
  const asIs = (there: Outline): Unchanged => ({ there, manifest: fetcher(from, options.signal) });
  const remade = Boolean(options.platforms?.length) || options.convert !== undefined;

  return {
    copy(ref, tag) {
      const prepared = prepareOnce(ref);
      const targets = (destination: Destination): readonly CopyTarget[] =>
        (destination.tags ?? [tag === undefined ? undefined : tagAt(destination, tag)]).map((one) =>
          one === undefined ? {} : { tag: one },
        );
      return everywhere(ref, targets, async (at, own) => copyTo(at, await prepared(), ref, own));
    },
    async place(digest, targets, onEnd) {
      const prepared = prepareOnce(digest);
      const work = async (at: number, target: CopyTarget): Promise<Done> => {
        const { tag, before } = target;
        if (tag === undefined || before === undefined) return copyTo(at, await prepared(), digest, target);
        const { store } = destinations[at]!;
        const now = await sided("destination", () => findTag(store, tag, options));
        if (now?.digest === digest && !remade) {
          const there = await sided("destination", () => outlineOf(store, now, options));
          return copyTo(at, there ? asIs(there) : await prepared(), digest, target);
        }
        const isMoved = (now?.digest ?? null) !== before;
        if (isMoved && !remade) throw moved(store, tag, now);
        const { root, manifest } = await prepared();
        if (now && now.digest === root.descriptor.digest) return copyTo(at, { there: root, manifest }, digest, target);
        if (isMoved) throw moved(store, tag, now);
        return copyTo(at, { root, manifest }, digest, target);
      };
      await everywhere(digest, (_, at) => targets[at]!, work, onEnd);
    },
    update(tag) {
      const prepared = prepareOnce(tag);
      const source = sided("source", () => from.head(tag, options));
      return everywhere(
        tag,
        (destination) => [{ tag: tagAt(destination, tag) }],
        async (at, { tag: own = tag }) => {
          const [wanted, there] = await Promise.all([
            source,
            sided("destination", () => findOutline(destinations[at]!.store, own, options)),
          ]);
          const same = there && !remade && wanted?.digest === there.descriptor.digest;
          return copyTo(at, same ? asIs(there) : await prepared(), tag, { tag: own });
        },
      );
    },
  };
}
