import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { tapped, type Content } from "../oci/stream.ts";
import type { Put, Source } from "../store/store.ts";
import type { CopyOptions, Destination } from "./copy.ts";
import { fanOut, type Reader } from "./fan-out.ts";
import { throttle } from "./rate.ts";
import { semaphore } from "./semaphore.ts";
import { sided, sidedStream } from "./sides.ts";
import { singleFlight } from "./single-flight.ts";

export type BlobTally = Readonly<Record<Put, number>>;

/** Moves blobs between a source and the destinations of a copy. */
export interface BlobMover {
  /** Makes sure that destination number `at` has a blob; a blob that another image brought there counts as existing. */
  move(blob: Descriptor, at: number, signal: AbortSignal): Promise<Put>;
  /** Says whether a destination still takes part: the others wait for it before they open a blob that they share. */
  join(at: number): void;
  leave(at: number): void;
}

/** Each blob goes once to each destination, and is read once for all of them. */
export function blobMover(from: Source, destinations: readonly Destination[], options: CopyOptions): BlobMover {
  const jobs = options.jobs ?? 16;
  const ends = destinations.map(() => ({ slot: semaphore(jobs), flight: singleFlight<Digest, Put>(), copies: 0 }));
  const slow = typeof options.limitRate === "number" ? throttle(options.limitRate) : options.limitRate;
  const shared = new Map<Digest, Map<number, Reader>>();
  const found = new Set<Digest>();
  /** Who waits for another repository to get a blob first, and keeps nobody else waiting meanwhile. */
  const aside = ends.map(() => new Set<Digest>());

  const tell = (digest: Digest, count: number): void => options.onEvent?.({ type: "bytes", digest, count });

  function open(blob: Descriptor): Content {
    return () =>
      sided("source", async () => {
        const stream = await from.blob(blob.digest, { signal: options.signal, transient: true, size: blob.size });
        const counted = tapped(sidedStream(stream), { piece: ({ byteLength }) => tell(blob.digest, byteLength) });
        return slow ? slow(counted, options.signal) : counted;
      });
  }

  /** The reader of one destination; the first to come makes one for each that takes part. */
  function readerFor(blob: Descriptor, at: number): Reader {
    let readers = shared.get(blob.digest);
    if (!readers) {
      const parties = ends.flatMap((end, i) =>
        i === at || (end.copies > 0 && !aside[i]!.has(blob.digest)) ? [i] : [],
      );
      const made = fanOut(open(blob), parties.length);
      readers = new Map(parties.map((party, i) => [party, made[i]!]));
      shared.set(blob.digest, readers);
    }
    const reader = readers.get(at) ?? { content: open(blob), leave: () => {} };
    readers.delete(at);
    if (readers.size === 0) shared.delete(blob.digest);
    return reader;
  }

  async function send(blob: Descriptor, at: number, signal: AbortSignal): Promise<Put> {
    const { store, mountFrom } = destinations[at]!;
    if (options.dryRun) {
      if ((await store.size(blob.digest, { signal })) !== undefined) return "exists";
      return mountFrom === undefined ? "written" : "mounted";
    }
    const reader = readerFor(blob, at);
    try {
      return await store.putBlob(blob, reader.content, { signal, ...(mountFrom !== undefined && { mountFrom }) });
    } finally {
      reader.leave();
    }
  }

  const stepAside = (digest: Digest, at: number): void => {
    aside[at]!.add(digest);
    shared.get(digest)?.get(at)?.leave();
    shared.get(digest)?.delete(at);
  };

  return {
    async move(blob, at, signal) {
      const { digest, size, mediaType } = blob;
      if (!found.has(digest)) options.onEvent?.({ type: "found", digest, size, mediaType });
      found.add(digest);
      const { slot, flight } = ends[at]!;
      const { lane } = destinations[at]!;
      const alone = (): Promise<Put> => slot(() => sided("destination", () => send(blob, at, signal)));
      const work = lane ? () => lane.run(digest, signal, alone, () => stepAside(digest, at)) : alone;
      const { value: how, first } = await flight.run(digest, signal, work);
      if (first) options.onEvent?.({ type: "blob", digest, size, how, to: destinations[at]!.store.name });
      return first ? how : "exists";
    },
    join: (at) => void (ends[at]!.copies += 1),
    leave(at) {
      const end = ends[at]!;
      end.copies -= 1;
      if (end.copies === 0) for (const readers of shared.values()) readers.get(at)?.leave();
    },
  };
}
