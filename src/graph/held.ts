import type { Digest } from "../oci/digest.ts";
import { isAbsent, isBroken } from "../oci/error.ts";
import type { Call, Source } from "../store/store.ts";
import { imageConfig, isImageConfig } from "./config.ts";
import type { Crew } from "./crew.ts";
import type { Gaps } from "./gaps.ts";
import type { Held } from "./inventory.ts";
import type { Known } from "./known.ts";
import type { Found, Listed } from "./manifest-reader.ts";
import { nameOf } from "./sides.ts";

/** A manifest with all that a list tells of it, in as many entries as it has; `built` is when its config says it was. */
export function heldOf(one: Found, tags: readonly string[], told: readonly Listed[], built: string | undefined): Held {
  const { config: _config, noted: _noted, ...content } = one;
  const latest = (of: (entry: Listed) => string | undefined): number | undefined => {
    const times = told.map((entry) => Date.parse(of(entry) ?? "")).filter((time) => !Number.isNaN(time));
    return times.length > 0 ? times.reduce((a, b) => Math.max(a, b)) : undefined;
  };
  const [pushed, pulled] = [latest((entry) => entry.pushed), latest((entry) => entry.pulled)];
  const created = latest((entry) => entry.created) ?? momentOf(built ?? one.noted);
  const platforms = one.platforms ?? told.find((entry) => entry.platforms)?.platforms;
  const state = told.find((entry) => entry.state !== undefined)?.state;
  return {
    ...content,
    tags,
    ...(pushed !== undefined && { pushed }),
    ...(pulled !== undefined && { pulled }),
    ...(created !== undefined && { created }),
    ...(platforms && { platforms }),
    ...(told.some((entry) => entry.immutable) && { immutable: true }),
    ...(state !== undefined && { state }),
  };
}

function momentOf(text: string | undefined): number | undefined {
  const moment = Date.parse(text ?? "");
  return Number.isNaN(moment) ? undefined : moment;
}

/** The image whose config tells when a manifest was built: itself, or the first part of an index. */
function imageOf(one: Found, found: ReadonlyMap<Digest, Found>): Found | undefined {
  const seen = new Set<Digest>();
  let image: Found | undefined = one;
  while (image && !image.config && !seen.has(image.digest)) {
    seen.add(image.digest);
    image = image.children.map((child) => found.get(child)).find(Boolean);
  }
  return image?.config && isImageConfig(image.config) ? image : undefined;
}

/**
 * Reads from configs when images were built, an index by its first part. Answers for each what was read: nothing where a
 * config does not tell, or cannot be understood.
 */
export async function readBuildTimes(
  from: Source,
  images: Iterable<Found>,
  found: ReadonlyMap<Digest, Found>,
  { known, gaps, signal, workers }: Call & { readonly known: Known; readonly gaps: Gaps; readonly workers: Crew },
): Promise<(one: Found) => string | undefined> {
  const asked = new Set<Digest>();
  for (const one of images) {
    const image = imageOf(one, found);
    if (!image || known.built.has(image.digest) || asked.has(image.digest)) continue;
    asked.add(image.digest);
    workers.add(() =>
      gaps.attempt(nameOf(from, image.digest), async () => {
        known.built.set(image.digest, (await createdIn(from, image, signal)) ?? null);
      }),
    );
  }
  await workers.done();
  return (one) => known.built.get(imageOf(one, found)?.digest ?? one.digest) ?? undefined;
}

async function createdIn(from: Source, image: Found, signal: AbortSignal | undefined): Promise<string | undefined> {
  const { config, ...descriptor } = image;
  try {
    const created: unknown = (await imageConfig(from, { descriptor, ...(config && { config }) }, { signal })).config
      ?.created;
    return typeof created === "string" ? created : undefined;
  } catch (error) {
    if (isAbsent(error) || isBroken(error)) return undefined;
    throw error;
  }
}
