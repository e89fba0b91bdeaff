import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { isIndexType } from "../oci/media-types.ts";
import { isDigestTag } from "../oci/reference.ts";
import type { Call, Source } from "../store/store.ts";
import { checkNesting } from "./nesting.ts";
import { manifestAt, nameOf } from "./sides.ts";

/** What each tag of a repository names, in the order of the tags; one HEAD a tag. */
export async function tagTargets(from: Source, call?: Call): Promise<ReadonlyMap<string, Descriptor>> {
  const tags: string[] = [];
  try {
    for await (const tag of from.tags(call)) tags.push(tag);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  const heads = tags.sort().map(async (tag) => [tag, await from.head(tag, call)] as const);
  return new Map((await Promise.all(heads)).flatMap(([tag, target]) => (target ? [[tag, target]] : [])));
}

/** The tags of a repository that point at a digest. */
export async function tagsOf(from: Source, digest: string, call?: Call): Promise<readonly string[]> {
  return namesOf(await tagTargets(from, call), digest);
}

/** Of the tags with their targets, those that point at a digest. */
export function namesOf(targets: ReadonlyMap<string, Descriptor>, digest: string): readonly string[] {
  return [...targets].flatMap(([tag, target]) => (target.digest === digest ? [tag] : []));
}

/**
 * The tags of other images whose index needs one of `digests`: what would break without it. Each index is read once. A
 * bare `sha256-<hex>` is a registry's own list of referrers, and needs none of them.
 * Throws MANIFEST_UNKNOWN where an index cannot be read, since nobody knows what it needs.
 */
export async function tagsNeeding(
  from: Source,
  digests: ReadonlySet<Digest>,
  targets: ReadonlyMap<string, Descriptor>,
  call?: Call,
): Promise<readonly string[]> {
  const answers = new Map<Digest, Promise<boolean>>();
  const needs = (index: Digest, depth: number, image: string): Promise<boolean> => {
    const known = answers.get(index) ?? manifestAt(from, index, call?.signal).then((read) => anyOf(read, depth, image));
    answers.set(index, known);
    return known;
  };
  const anyOf = async (index: Manifest, depth: number, image: string): Promise<boolean> => {
    checkNesting(index, depth, image);
    if (index.manifests.some((child) => digests.has(child.digest))) return true;
    const below = index.manifests.filter((child) => isIndexType(child.mediaType));
    return (await Promise.all(below.map((child) => needs(child.digest, depth + 1, image)))).includes(true);
  };
  const asked = [...targets].map(async ([tag, { digest, mediaType }]) => {
    const lists = isDigestTag(tag) && !tag.includes(".");
    if (lists || digests.has(digest) || !isIndexType(mediaType)) return [];
    return (await needs(digest, 1, nameOf(from, tag))) ? [tag] : [];
  });
  return (await Promise.all(asked)).flat();
}
