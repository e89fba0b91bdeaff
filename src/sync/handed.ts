import { isDigest, type Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Plan } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";

/** What was read of sources for a plan, kept for its copies, which follow at once and need not ask for it again. */
export interface Handed {
  /** Whether a manifest more is kept. */
  readonly hasRoom: boolean;
  keepTags(place: string, tags: readonly string[]): void;
  keepManifest(place: string, manifest: Manifest): void;
  /** A source that answers from what was kept of a place: with its tags, and with each manifest once, by its digest. */
  over(place: string, source: Store): Store;
}

/** The most that is kept: bytes of manifests, and names of tags. */
const mostBytes = 16 * 1024 * 1024;
const mostTags = 200_000;

/** Nothing kept yet. */
export function handedOn(): Handed {
  const lists = new Map<string, readonly string[]>();
  const manifests = new Map<string, Manifest>();
  let [bytes, names] = [0, 0];
  const keyOf = (place: string, digest: Digest): string => `${place}@${digest}`;
  const take = (place: string, ref: string): Manifest | undefined => {
    const key = isDigest(ref) ? keyOf(place, ref) : undefined;
    const kept = key === undefined ? undefined : manifests.get(key);
    if (kept && manifests.delete(key!)) bytes -= kept.bytes.byteLength;
    return kept;
  };
  return {
    get hasRoom() {
      return bytes < mostBytes;
    },
    keepTags(place, tags) {
      names += tags.length;
      if (names <= mostTags) lists.set(place, tags);
    },
    keepManifest(place, manifest) {
      const key = keyOf(place, manifest.descriptor.digest);
      if (bytes >= mostBytes || manifests.has(key)) return;
      manifests.set(key, manifest);
      bytes += manifest.bytes.byteLength;
    },
    over: (place, source) => ({
      ...source,
      manifest: async (ref, call) => take(place, ref) ?? source.manifest(ref, call),
      async *tags(call) {
        yield* lists.get(place) ?? source.tags(call);
      },
    }),
  };
}

const ofPlans = new WeakMap<Plan, Handed>();

/** Hands what was kept on with a plan: whoever applies that very plan finds it. */
export function handOn(plan: Plan, handed: Handed): void {
  ofPlans.set(plan, handed);
}

/** What was handed on with a plan. */
export const handedWith = (plan: Plan): Handed | undefined => ofPlans.get(plan);
