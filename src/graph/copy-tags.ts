import { isDigestTag } from "../oci/reference.ts";
import type { Source } from "../store/store.ts";
import { copier, type CopyOptions, type Destination, type Outcome } from "./copy.ts";
import { semaphore } from "./semaphore.ts";
import { sided } from "./sides.ts";

/** How many images of a repository are under way at a time. */
const imagesAtOnce = 32;

/**
 * Copies every tag of a repository, each to the same tag. A tag that names the same digest at both ends costs one
 * request at each, unless `recheck` asks to look whether all it needs is really there. One tag's failure stops no other.
 */
export async function copyTags(
  from: Source,
  destinations: readonly Destination[],
  options: CopyOptions & { readonly recheck?: boolean } = {},
): Promise<readonly Outcome[]> {
  const tags: string[] = [];
  await sided("source", async () => {
    for await (const tag of from.tags(options)) tags.push(tag);
  });
  const copies = copier(from, destinations, options);
  const slot = semaphore(imagesAtOnce);
  const carried = options.referrers !== false;
  const run = (tag: string): Promise<readonly Outcome[]> =>
    slot(() => (options.recheck ? copies.copy(tag, tag) : copies.update(tag)));

  const images = await Promise.all(tags.filter((tag) => !isDigestTag(tag)).map(run));
  // What hangs on those images has gone along. A bare `sha256-<hex>` is a registry's own list of referrers: the
  // destination keeps its own. Of the rest, what belongs to an untagged image still has to go.
  const attached = new Set(images.flat().flatMap((one) => ("result" in one ? one.attachedTags : [])));
  const rest = carried ? tags.filter((tag) => isDigestTag(tag) && tag.includes(".") && !attached.has(tag)) : [];
  return [...images.flat(), ...(await Promise.all(rest.map(run))).flat()];
}
