import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import type { Source } from "../store/store.ts";
import { convertToOci } from "./convert.ts";
import type { CopyOptions } from "./copy.ts";
import { selectPlatforms } from "./select.ts";
import { manifestAt, nameOf } from "./sides.ts";
import { singleFlight } from "./single-flight.ts";

/** Reads a manifest that a descriptor points at, each once. */
export type Fetch = (descriptor: Descriptor) => Promise<Manifest>;

/** What a copy starts from: the root, and where to find what is below it, made or fetched. */
export interface Prepared {
  readonly root: Manifest;
  readonly manifest: Fetch;
}

/** Reads the root of a copy, and makes of it what the options ask for. */
export async function prepare(from: Source, ref: string, options: CopyOptions): Promise<Prepared> {
  const made = new Map<Digest, Manifest>();
  const fetch = fetcher(from, options.signal);
  let root = await manifestAt(from, ref, options.signal);
  if (options.platforms) root = await selectPlatforms(from, root, options.platforms, options);
  if (options.convert === "oci") {
    const keep = (one: Manifest): void => void made.set(one.descriptor.digest, one);
    root = await convertToOci(root, { image: nameOf(from, ref), fetch, keep });
  }
  return { root, manifest: async (descriptor) => made.get(descriptor.digest) ?? fetch(descriptor) };
}

export function fetcher(from: Source, signal?: AbortSignal): Fetch {
  const flight = singleFlight<Digest, Manifest>();
  return async ({ digest }) => (await flight.run(digest, signal, () => manifestAt(from, digest, signal))).value;
}
