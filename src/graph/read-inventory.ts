import type { Digest } from "../oci/digest.ts";
import { isRegistryError } from "../oci/error.ts";
import type { Call, Source } from "../store/store.ts";
import { crew } from "./crew.ts";
import { gapsOf } from "./gaps.ts";
import { heldOf, readBuildTimes } from "./held.ts";
import type { Inventory } from "./inventory.ts";
import { knownManifests, type Known } from "./known.ts";
import type { Found, Listed } from "./manifest-reader.ts";
import { seeker, type Seeker } from "./seeker.ts";

export type { Listed } from "./manifest-reader.ts";

export interface InventoryOptions extends Call {
  /** The images as a service lists them; without, or where that throws UNSUPPORTED, all tags are read. */
  readonly listed?: AsyncIterable<Listed>;
  /** What that list has: every manifest, parts and what is attached too; images, also those without tags; what tags name. */
  readonly lists?: "manifests" | "images" | "tags";
  /** Reads when each image was built, out of its config, where nothing else tells; that takes a request an image. */
  readonly created?: boolean;
  /** Fetches only what the list leaves open of the graph: bytes are as it tells. For services where a fetch counts as a pull. */
  readonly sparing?: boolean;
  /** Leaves out parts, and what is attached: enough where nothing can be deleted but tags. */
  readonly shallow?: boolean;
  /** Looks for these, too, where only what tags lead to is listed. */
  readonly also?: Iterable<Digest>;
  /** What was read before, and is not fetched again. */
  readonly known?: Known;
}

/** Requests at a time. */
const atOnce = 16;

/**
 * Reads all manifests of a repository that can be found: what tags name and a service lists, the parts of indexes, and what
 * is attached, and to what. What is there but cannot be read is a gap; what is not there is left out, be it the repository.
 */
export async function readInventory(from: Source, options: InventoryOptions = {}): Promise<Inventory> {
  const { signal, known = knownManifests(), sparing = false, shallow = false } = options;
  const [gaps, workers] = [gapsOf(from, signal), crew(atOnce)];
  const work = { known, gaps, workers, ...(signal && { signal }) };
  const seek = seeker(from, { ...work, sparing, shallow });
  let lists: InventoryOptions["lists"];
  try {
    lists = await readList(from, options, seek);
    await seek.seekListed();
    if (lists === "tags" && options.also) await seek.seekAlso(options.also);
    // A part that was not in the list shows that it has not got everything.
    const hasAll = lists === "manifests" && [...seek.found.keys()].every((digest) => seek.facts.has(digest));
    if (!hasAll && !shallow) await seek.seekAttached();
  } finally {
    workers.stop();
  }
  const { found, facts } = seek;
  const tags = new Map([...seek.tags].toSorted(byName(([tag]) => tag)));
  const names = namesByDigest(tags);
  const built = options.created
    ? await readBuildTimes(from, undated(seek, names), found, work)
    : (): undefined => undefined;
  const held = [...found.values()].map((one) =>
    heldOf(one, names.get(one.digest) ?? [], facts.get(one.digest) ?? [], built(one)),
  );
  return {
    repository: from.name,
    manifests: new Map(held.toSorted(byName((one) => one.digest)).map((one) => [one.digest, one])),
    tags,
    listsUntagged: lists !== "tags",
    gaps: gaps.all.toSorted(byName(({ at }) => at)),
  };
}

/** Reads the list, and says what it has. */
async function readList(
  from: Source,
  { listed, lists = "tags", signal }: InventoryOptions,
  seek: Seeker,
): Promise<InventoryOptions["lists"]> {
  try {
    if (listed) {
      for await (const one of listed) seek.list(one);
      return lists;
    }
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return lists;
    if (!isRegistryError(error, "UNSUPPORTED")) throw error;
  }
  try {
    for await (const tag of from.tags({ signal })) seek.list({ tags: [tag] });
  } catch (error) {
    if (!isRegistryError(error, "NAME_UNKNOWN")) throw error;
  }
  return "tags";
}

/** What has a tag, or is part of nothing, and of which nothing tells yet when it was built. */
function undated({ found, facts }: Seeker, names: ReadonlyMap<Digest, unknown>): Found[] {
  const parts = new Set([...found.values()].flatMap((one) => one.children));
  return [...found.values()].filter(
    ({ digest, noted, subject }) =>
      noted === undefined &&
      (names.has(digest) || !(parts.has(digest) || subject)) &&
      !facts.get(digest)?.some((told) => told.created !== undefined),
  );
}

function namesByDigest(tags: ReadonlyMap<string, Digest>): ReadonlyMap<Digest, readonly string[]> {
  const names = new Map<Digest, string[]>();
  for (const [tag, digest] of tags) {
    const others = names.get(digest);
    if (others) others.push(tag);
    else names.set(digest, [tag]);
  }
  return names;
}

function byName<T>(name: (one: T) => string): (a: T, b: T) => number {
  return (a, b) => (name(a) < name(b) ? -1 : 1);
}
