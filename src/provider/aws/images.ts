import { isDigest, type Digest } from "../../oci/digest.ts";
import { isIndexType } from "../../oci/media-types.ts";
import { isTag } from "../../oci/reference.ts";
import type { ImageInfo } from "../service.ts";

/** What both registries of AWS tell of an image. */
export interface ImageDetail {
  readonly imageDigest?: string | undefined;
  readonly imageTags?: readonly string[] | undefined;
  readonly imageSizeInBytes?: number | undefined;
  readonly imagePushedAt?: Date | undefined;
  readonly imageManifestMediaType?: string | undefined;
  readonly artifactMediaType?: string | undefined;
}

/** An image as AWS tells of it; undefined where it names no digest that could be one. */
export function imageOf(detail: ImageDetail): (ImageInfo & { readonly digest: Digest }) | undefined {
  const { imageDigest: digest, imageSizeInBytes: size, imageManifestMediaType: mediaType } = detail;
  if (digest === undefined || !isDigest(digest)) return undefined;
  const pushed = momentOf(detail.imagePushedAt);
  return {
    digest,
    tags: tagsOf(detail.imageTags),
    ...(pushed !== undefined && { pushed }),
    ...(isSize(size) && {
      size,
      sizeKind: mediaType !== undefined && isIndexType(mediaType) ? "largest child" : "manifest",
    }),
    ...(isMediaType(mediaType) && { mediaType }),
    ...(isMediaType(detail.artifactMediaType) && { artifactType: detail.artifactMediaType }),
  };
}

/** The texts that can be tags. */
export function tagsOf(texts: readonly string[] = []): readonly string[] {
  return texts.filter(isTag);
}

/** A moment as services tell it; undefined for what is none. */
export function momentOf(date: Date | undefined): string | undefined {
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function isSize(size: number | undefined): size is number {
  return size !== undefined && Number.isSafeInteger(size) && size >= 0;
}

function isMediaType(text: string | undefined): text is string {
  return text !== undefined && /^[\w.+-]+\/[\w.+-]+$/.test(text);
}
