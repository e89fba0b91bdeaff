import { isDigest, type Digest } from "../../oci/digest.ts";
import { isIndexType } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import type { JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import type { ImageInfo } from "../service.ts";
import { attributesOf, countOf, entriesOf, momentOf } from "./attributes.ts";
import { repositoryApi } from "./data-plane.ts";

/** The most entries that a page has, whatever is asked for (Azure/acr#749). */
const pageSize = 1000;
/** From so many tags on, a manifest does not list them all (Azure/azure-cli#7438, Azure/acr#529). */
const tagLimit = 10;

/**
 * The manifests of a repository, the newest first: a request for each thousand, and one more for each manifest that has
 * more tags than it lists.
 */
export async function* manifestsOf(
  context: ServiceContext,
  repository: string,
  call: Call = {},
): AsyncGenerator<ImageInfo, void> {
  const api = repositoryApi(context, repository, "metadata_read");
  const pages = api.pages(`/acr/v1/${repository}/_manifests`, {
    ...call,
    query: { n: pageSize, orderby: "timedesc" },
    what: `list the images of ${context.host}/${repository}`,
  });
  for await (const { body } of pages) {
    for (const entry of entriesOf(body, "manifests")) {
      const image = imageOf(entry);
      if (!image?.digest) continue;
      const isCut = image.tags.length >= tagLimit;
      yield isCut ? { ...image, tags: await tagsOf(api, { repository, digest: image.digest }, call) } : image;
    }
  }
}

function imageOf(entry: Readonly<Record<string, unknown>>): ImageInfo | undefined {
  const { digest, tags, mediaType, os, architecture } = entry;
  if (typeof digest !== "string" || !isDigest(digest)) return undefined;
  const { read, write } = attributesOf(entry);
  const size = countOf(entry["imageSize"]);
  const pushed = momentOf(entry["createdTime"]);
  const type = typeof mediaType === "string" && /^[\w.+/-]+$/.test(mediaType) ? mediaType : undefined;
  return {
    digest,
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string" && isTag(tag)) : [],
    ...(pushed && { pushed }),
    ...(size !== undefined && { size, sizeKind: type && !isIndexType(type) ? "manifest" : "unexplained" }),
    ...(isName(os) && isName(architecture) && { platforms: [formatPlatform({ os, architecture })] }),
    ...(type && { mediaType: type }),
    ...(!write && { immutable: true }),
    ...(!read && { state: "pulls are off" }),
  };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && /^[a-z0-9]+$/.test(value) && value !== "unknown";
}

/** A tag, and whether it has a lock of its own. */
export interface TagEntry {
  readonly name: string;
  readonly isLocked: boolean;
}

/** All tags of a repository, or of one manifest in it. */
export async function* tagEntries(
  api: JsonApi,
  { repository, digest }: { readonly repository: string; readonly digest?: Digest },
  call: Call = {},
): AsyncGenerator<TagEntry, void> {
  const pages = api.pages(`/acr/v1/${repository}/_tags`, {
    ...call,
    query: { n: pageSize, digest },
    what: `list the tags of ${repository}`,
  });
  for await (const { body } of pages) {
    for (const entry of entriesOf(body, "tags")) {
      const { name } = entry;
      if (typeof name === "string" && isTag(name)) yield { name, isLocked: !attributesOf(entry).write };
    }
  }
}

async function tagsOf(
  api: JsonApi,
  of: { readonly repository: string; readonly digest: Digest },
  call: Call,
): Promise<readonly string[]> {
  return (await Array.fromAsync(tagEntries(api, of, call))).map(({ name }) => name);
}
