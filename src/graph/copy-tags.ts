import { isAbsent, RegistryError } from "../oci/error.ts";
import { hasDigestTag, isDigestTag } from "../oci/reference.ts";
import type { Call, Source } from "../store/store.ts";
import { copier, tagAt, type CopyOptions, type Destination, type Outcome } from "./copy.ts";
import { semaphore } from "./semaphore.ts";
import { nameOf, sided } from "./sides.ts";

/** How many images of a repository are under way at a time. */
const imagesAtOnce = 16;

/**
 * Copies every tag of a repository, each to the same tag or what the destination calls it. A tag that names the same digest at
 * both ends costs a HEAD at each, and an index a GET, unless `recheck` asks to look whether all it needs is really there; one
 * that no destination lists is copied without asking. One tag's failure stops no other.
 */
export async function copyTags(
  from: Source,
  destinations: readonly Destination[],
  options: CopyOptions & { readonly recheck?: boolean } = {},
): Promise<readonly Outcome[]> {
  const [tags, ...there] = await Promise.all([
    sided("source", () => list(from, options)),
    ...destinations.map(async ({ store }) => listThere(store, options)),
  ]);
  for (const destination of destinations) expectDistinct(destination, tags);
  const copies = copier(from, destinations, options);
  const slot = semaphore(imagesAtOnce);
  const carried = options.referrers !== false;
  const isNew = (tag: string): boolean =>
    there.every((known, at) => known && !known.has(tagAt(destinations[at]!, tag)));
  const run = (tag: string): Promise<readonly Outcome[]> =>
    slot(() => (options.recheck || isNew(tag) ? copies.copy(tag, tag) : copies.update(tag)));

  const images = await Promise.all(tags.filter((tag) => !hasDigestTag(tag)).map(run));
  // What hangs on those images has gone along. A bare `sha256-<hex>` is a registry's own list of referrers: the
  // destination keeps its own. Of the rest, what belongs to an untagged image still has to go, and so does what only a whole
  // name, as an archive has, tells to be attached.
  const attached = new Set(images.flat().flatMap((one) => ("result" in one ? one.attachedTags : [])));
  const isOwnList = (tag: string): boolean => isDigestTag(tag) && !tag.includes(".");
  const rest = carried ? tags.filter((tag) => hasDigestTag(tag) && !isOwnList(tag) && !attached.has(tag)) : [];
  return [...images.flat(), ...(await Promise.all(rest.map(run))).flat()];
}

/** Where two tags would be one, the second would take the first one's place. */
function expectDistinct(destination: Destination, tags: readonly string[]): void {
  const known = new Map<string, string>();
  for (const tag of tags) {
    const own = tagAt(destination, tag);
    const other = known.get(own);
    if (other !== undefined && other !== tag) {
      throw new RegistryError("INVALID", `${other} and ${tag} would both be ${nameOf(destination.store, own)}`, {
        hint: "copy one of them by itself, under another name",
      });
    }
    known.set(own, tag);
  }
}

async function list(store: Source, call: Call): Promise<readonly string[]> {
  const tags: string[] = [];
  for await (const tag of store.tags(call)) tags.push(tag);
  return tags;
}

/** The tags of a destination; undefined where it does not say: each tag is asked for then, and tells what is wrong. */
async function listThere(store: Source, call: Call): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await list(store, call));
  } catch (error) {
    return isAbsent(error) ? new Set() : undefined;
  }
}
