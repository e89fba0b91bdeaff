import { isObject } from "../../oci/descriptor.ts";
import { isDigest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { isRepository, isTag } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import type { JsonApi } from "../json-api.ts";
import type { ImageInfo } from "../service.ts";

/** What Google's registry tells with the tags of an image. */
export interface TagsList {
  /** The names one level below. */
  readonly children: readonly string[];
  readonly tags: readonly string[];
  /** All of its images, those without tags too; absent where something between us and the registry leaves them out. */
  readonly images?: readonly ImageInfo[];
}

/** Reads the tags of an image: one request, as no page is asked for. Throws NAME_UNKNOWN. */
export async function* tagsLists(
  api: JsonApi,
  host: string,
  repository: string,
  call: Call = {},
): AsyncGenerator<TagsList, void> {
  if (!isRepository(repository)) {
    throw new RegistryError("INVALID", `${JSON.stringify(repository)} cannot be a repository`, { host });
  }
  const what = `list the tags of ${host}/${repository}`;
  for await (const { body } of api.pages(`/${repository}/tags/list`, { ...call, what })) {
    if (!isObject(body)) {
      throw new RegistryError("NETWORK", `cannot ${what}: ${host} answered with no JSON object`, { host });
    }
    yield parseTagsList(body);
  }
}

/** All of it at once. What is not there has no tags, no images and nothing below it, without an error: undefined. */
export async function readTagsList(
  api: JsonApi,
  host: string,
  repository: string,
  call?: Call,
): Promise<TagsList | undefined> {
  const pages = await Array.fromAsync(tagsLists(api, host, repository, call));
  const children = pages.flatMap((page) => page.children);
  const tags = pages.flatMap((page) => page.tags);
  const images = pages.every((page) => page.images) ? pages.flatMap((page) => page.images ?? []) : undefined;
  if (children.length + tags.length + (images?.length ?? 0) === 0) return undefined;
  return { children, tags, ...(images && { images }) };
}

/** Reads such an answer; what cannot be a name, tag or digest is left out. */
export function parseTagsList(body: Readonly<Record<string, unknown>>): TagsList {
  const { child, tags, manifest } = body;
  return {
    children: texts(child).filter(isRepository),
    tags: texts(tags).filter(isTag),
    ...(isObject(manifest) && { images: Object.entries(manifest).flatMap(imageOf) }),
  };
}

function imageOf([digest, told]: readonly [string, unknown]): readonly ImageInfo[] {
  if (!isDigest(digest) || !isObject(told)) return [];
  const pushed = moment(told["timeUploadedMs"]);
  const created = moment(told["timeCreatedMs"]);
  const size = whole(told["imageSizeBytes"]);
  const { mediaType } = told;
  return [
    {
      digest,
      tags: texts(told["tag"]).filter(isTag),
      ...(pushed !== undefined && { pushed }),
      ...(created !== undefined && { created }),
      ...(size !== undefined && { size, sizeKind: "unexplained" }),
      ...(typeof mediaType === "string" && /^[\w.+/-]{1,255}$/.test(mediaType) && { mediaType }),
    },
  ];
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** Whole numbers come as texts. */
function whole(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Milliseconds since 1970. What has no time is said to be of the year 1, or of 1970. */
function moment(value: unknown): string | undefined {
  const ms = whole(value);
  return ms === undefined || ms === 0 || ms > Date.UTC(9999, 11) ? undefined : new Date(ms).toISOString();
}
