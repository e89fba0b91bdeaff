import { isImageConfig } from "../../graph/config.ts";
import type { Content } from "../../graph/known.ts";
import { isObject } from "../../oci/descriptor.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { inventoryPath, inventoryType } from "../../oci/extension.ts";
import { isIndexType } from "../../oci/media-types.ts";
import { apiHost, isRepository, isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { countOf, momentOf, objectsIn, textOf } from "../answers.ts";
import { jsonApi, type ApiFault, type JsonAnswer } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import type { ImageInfo } from "../service.ts";

type Fields = Readonly<Record<string, unknown>>;
type Blob = Content["blobs"][number];

/**
 * The manifests of a repository, page by page by the first of their tags: a request for each thousand tags. An index whose
 * parts are not on the pages up to its own comes after all others, as only then its size is known.
 */
export async function* imagesOf(
  context: ServiceContext,
  repository: string,
  call: Call = {},
): AsyncGenerator<ImageInfo, void> {
  const listed = new Map<Digest, ImageInfo>();
  const waiting: ImageInfo[] = [];
  const read = reader();
  for await (const { body } of pagesOf(context, repository, call)) {
    const images = (isObject(body) && listOf(body["manifests"], isObject)?.map(read)) || [undefined];
    if (!images.every((image) => image !== undefined)) throw noList(context.host, repository);
    for (const image of images) listed.set(image.digest, image);
    for (const image of images.toSorted(byTag)) {
      if (image.children?.every((child) => listed.has(child)) ?? true) yield completed(image, listed);
      else waiting.push(image);
    }
  }
  for (const image of waiting) yield completed(image, listed);
}

/** What cannot be read of it is not left out: parts of an index, and images by their tags, would pass for what nothing holds. */
function noList(host: string, repository: string): RegistryError {
  const message = `cannot list the images of ${host}/${repository}: ${host} answered with what is no such list`;
  return new RegistryError("UNSUPPORTED", message, { host, hint: elsewise });
}

function pagesOf(context: ServiceContext, repository: string, call: Call): AsyncIterable<JsonAnswer> {
  const { host, authenticated, isInsecure } = context;
  if (!isRepository(repository)) {
    throw new RegistryError("NAME_INVALID", `${JSON.stringify(repository)} is no name of a repository`, { host });
  }
  const scopes = `repository:${repository}:pull`;
  const api = jsonApi({
    transport: (request) => authenticated({ ...request, anonymous: false, scopes }),
    base: new URL(`https://${apiHost(host)}`),
    title: host,
    isInsecure,
    error: faultIn,
  });
  return api.pages(inventoryPath(repository), {
    ...call,
    headers: { accept: inventoryType },
    what: `list the images of ${host}/${repository}`,
  });
}

const elsewise = "it is no registry of Gantry's, or of another version: say which in hosts.HOST.provider";

/** A 404 that is not about the repository: the list is not there, and so it has to be read by tags. */
function faultIn({ status, body }: JsonAnswer): ApiFault | undefined {
  const [first] = objectsIn(isObject(body) ? body["errors"] : undefined);
  if (status !== 404 || first?.["code"] === "NAME_UNKNOWN") return undefined;
  return { code: "UNSUPPORTED", hint: elsewise };
}

/** Those with tags first. */
function byTag({ tags: [a] }: ImageInfo, { tags: [b] }: ImageInfo): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a < b ? -1 : 1;
}

/** Reads entries; what says the same blob twice shares it. */
function reader(): (entry: Fields) => (ImageInfo & { readonly digest: Digest }) | undefined {
  const blobs = new Map<Digest, Blob>();
  const blobOf = ({ digest, size: said }: Fields): Blob | undefined => {
    const size = countOf(said);
    if (!isDigestText(digest) || size === undefined) return undefined;
    const known = blobs.get(digest);
    if (known?.size === size) return known;
    blobs.set(digest, { digest, size });
    return blobs.get(digest);
  };
  return (entry) => {
    const { digest } = entry;
    const tags = listOf(entry["tags"], isObject)?.map(({ name }) => name);
    if (!isDigestText(digest) || !tags?.every(isTagText)) return undefined;
    const [mediaType, artifactType] = [textOf(entry["mediaType"]), textOf(entry["artifactType"])];
    const platforms = listOf(entry["platforms"], isPlatformText) ?? [];
    const [pushed, pulled] = [momentOf(entry["pushed"]), momentOf(entry["pulled"])];
    const created = momentOf(entry["created"]);
    const content = mediaType === undefined ? undefined : contentOf(entry, digest, mediaType);
    const isImage = content?.config && isImageConfig(content.config);
    return {
      digest,
      tags,
      ...(pushed !== undefined && { pushed }),
      ...(pulled !== undefined && { pulled }),
      ...(created !== undefined && { created }),
      ...(platforms.length > 0 && { platforms }),
      ...(mediaType !== undefined && { mediaType }),
      ...(artifactType !== undefined && !isImage && { artifactType }),
      ...(isDigestText(entry["subject"]) && { subject: entry["subject"] }),
      ...(content && isIndexType(content.mediaType) && { children: content.children }),
      ...(content && { content }),
    };
  };

  /** All that a manifest is made of; nothing where any of it was not told. */
  function contentOf(entry: Fields, digest: Digest, mediaType: string): Content | undefined {
    const [size, children] = [countOf(entry["size"]), listOf(entry["manifests"], isDigestText)];
    const parts = objectsIn(entry["blobs"]).map(blobOf);
    const { subject, config } = entry;
    const isWhole =
      Array.isArray(entry["blobs"]) &&
      parts.length === entry["blobs"].length &&
      parts.every((part) => part !== undefined);
    if (size === undefined || !children || !isWhole) return undefined;
    if (subject !== undefined && !isDigestText(subject)) return undefined;
    const artifactType = textOf(entry["artifactType"]);
    const own = isObject(config) ? blobOf(config) : undefined;
    const configType = isObject(config) ? textOf(config["mediaType"]) : undefined;
    return {
      digest,
      mediaType,
      size,
      blobs: parts,
      children,
      ...(artifactType !== undefined && { artifactType }),
      ...(subject !== undefined && { subject }),
      ...(own && configType !== undefined && { config: { mediaType: configType, ...own } }),
    };
  }
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}

function isTagText(value: unknown): value is string {
  return typeof value === "string" && isTag(value);
}

function isPlatformText(value: unknown): value is string {
  return typeof value === "string" && /^[\w./()-]{1,300}$/.test(value);
}

/** A list, every item of which has to fit. */
function listOf<T>(value: unknown, fits: (item: unknown) => item is T): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list: readonly unknown[] = value;
  return list.every(fits) ? list : undefined;
}

/**
 * With its bytes, of an index also those of its parts, what they share counted once; and with what its first part says where
 * an index does not.
 */
function completed(image: ImageInfo, listed: ReadonlyMap<Digest, ImageInfo>): ImageInfo {
  const { content, children } = image;
  if (!content) return image;
  const parts = content.children.flatMap((child) => listed.get(child) ?? []);
  const manifests = [content, ...parts.flatMap((part) => part.content ?? [])];
  const sizes = new Map(manifests.flatMap((one) => [one, ...one.blobs]).map(({ digest, size }) => [digest, size]));
  const [first] = children ? parts : [];
  const created = image.created ?? first?.created;
  const platforms = image.platforms ?? first?.platforms;
  return {
    ...image,
    size: sizes.values().reduce((sum, size) => sum + size, 0),
    sizeKind: children ? "children" : "manifest",
    ...(created !== undefined && { created }),
    ...(platforms && { platforms }),
  };
}
