import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isForeignLayer } from "../oci/media-types.ts";
import type { Source } from "../store/store.ts";
import { attachments } from "./attachments.ts";
import type { BlobMover } from "./copy-blob.ts";
import type { CopyOptions, CopyTarget, Destination } from "./copy.ts";
import { checkNesting, type Outline } from "./nesting.ts";
import type { Running } from "./running.ts";
import { sided } from "./sides.ts";
import { singleFlight } from "./single-flight.ts";

/** Moves manifests between a source and the destinations of a copy. */
export interface ManifestMover {
  /** Puts a manifest after all it needs, each digest once a destination. */
  put(manifest: Manifest, copy: Running, target?: CopyTarget): Promise<void>;
  /** Puts all that hangs on an image and on what is below it, as far as that goes along. */
  putAttached(root: Outline, copy: Running): Promise<void>;
}

export function manifestMover(
  from: Source,
  destinations: readonly Destination[],
  blobs: BlobMover,
  options: CopyOptions,
): ManifestMover {
  const flights = destinations.map(() => singleFlight<Digest, void>());
  const attached = options.referrers === false ? undefined : attachments(from);

  async function put(manifest: Manifest, copy: Running, target: CopyTarget = {}, depth = 1): Promise<void> {
    const { digest } = manifest.descriptor;
    const { tag, putting = (act) => act() } = target;
    const putIt = (): Promise<void> => putting(() => putOnly(manifest, copy, tag));
    checkNesting(manifest, depth, copy.image);
    const { first } = await flights[copy.at]!.run(digest, copy.signal, async () => {
      await putContent(manifest, copy, depth);
      await putIt();
    });
    if (!first && tag !== undefined) await putIt();
  }

  async function putContent(manifest: Manifest, copy: Running, depth: number): Promise<void> {
    const children = manifest.manifests.map(async (child) => put(await copy.manifest(child), copy, {}, depth + 1));
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
          await put(manifest, copy, tag === undefined ? {} : { tag });
          copy.tally[tag === undefined ? "referrers" : "digestTags"] += 1;
          if (tag !== undefined) copy.attachedTags.push(tag);
        }),
      );
    }
  }

  return { put, putAttached };
}
