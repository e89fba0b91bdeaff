import type { Digest } from "../../oci/digest.ts";
import { manifestLimit } from "../../oci/manifest.ts";

/** What has been learned about one registry host in this process; every store of the host reads and writes the same. */
export interface RemoteShared {
  /** The registry's `host[:port]`. */
  readonly host: string;
  /** Where referrers are listed: by the API of distribution-spec 1.1, or under the tag `sha256-<hex>`. */
  referrers: "unknown" | "api" | "tag";
  /** The most bytes to send in one request, once the host has refused more. */
  bodyLimit: number | undefined;
  /** The fewest bytes that a chunk but the last may have (`OCI-Chunk-Min-Length`). */
  minimumChunk: number;
  /** Whether `mount` with the very repository tells that a blob exists; off once the host has refused the question. */
  probes: boolean;
  /** Whether broken uploads can be gone on with; off once one that was came out as other bytes. */
  resumes: boolean;
  readonly blobs: KnownBlobs;
  /** Repositories that the host said are not there: what they lack need not be asked for. */
  readonly absent: Set<string>;
  /** Runs one at a time what is given under the same key. */
  exclusive<T>(key: string, run: () => Promise<T>): Promise<T>;
}

/** Which repositories are known to hold a blob: candidates to mount it from. */
interface KnownBlobs {
  add(blob: Digest, repository: string): void;
  remove(blob: Digest, repository: string): void;
  /** Another repository that has the blob; none while the host keeps refusing to mount what was found here. */
  mountable(blob: Digest, into: string): string | undefined;
  /** Says how a mount of `mountable` went. */
  mounted(success: boolean): void;
}

/** The chunk size that uploads fall back to, in bytes, when a host refuses whole blobs. */
export const firstChunk: number = 16 * 1024 * 1024;
/** No chunk is made smaller than this, in bytes: what cannot take it cannot take a manifest. */
export const leastChunk: number = manifestLimit / 4;

const knownLimit = 20_000;
const placesPerBlob = 4;
const missesAllowed = 3;

/** The state that all stores of one host share. */
export function remoteShared(host: string): RemoteShared {
  const tails = new Map<string, Promise<unknown>>();
  return {
    host,
    referrers: "unknown",
    bodyLimit: undefined,
    minimumChunk: 0,
    probes: true,
    resumes: true,
    blobs: knownBlobs(),
    absent: new Set(),
    async exclusive(key, run) {
      const before = tails.get(key) ?? Promise.resolve();
      const mine = before.then(run);
      const tail = mine.catch(() => {});
      tails.set(key, tail);
      try {
        return await mine;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}

function knownBlobs(): KnownBlobs {
  const places = new Map<Digest, readonly string[]>();
  let misses = 0;
  return {
    add(blob, repository) {
      const others = (places.get(blob) ?? []).filter((name) => name !== repository);
      places.delete(blob);
      places.set(blob, [repository, ...others].slice(0, placesPerBlob));
      if (places.size > knownLimit) places.delete(places.keys().next().value!);
    },
    remove(blob, repository) {
      const left = (places.get(blob) ?? []).filter((name) => name !== repository);
      if (left.length > 0) places.set(blob, left);
      else places.delete(blob);
    },
    mountable(blob, into) {
      if (misses >= missesAllowed) return undefined;
      return places.get(blob)?.find((name) => name !== into);
    },
    mounted(success) {
      misses = success ? 0 : misses + 1;
    },
  };
}
