import type { Digest } from "../../oci/digest.ts";
import type { Call } from "../../store/store.ts";
import { deleteInBatches, deleteOneTag, type BatchAnswer, type ImageId } from "../aws/delete.ts";
import { imageOf } from "../aws/images.ts";
import type { Deletion, ImageInfo } from "../service.ts";
import type { EcrPublic } from "./api.ts";
import type { OwnRepository } from "./repositories.ts";

const pageSize = 1000;

/** The images, a thousand with each request. */
export async function* images(
  { sdk, pages, host }: EcrPublic,
  { name, repositoryName }: OwnRepository,
  call?: Call,
): AsyncGenerator<ImageInfo, void> {
  const question = { what: `list the images of ${host}/${name}`, action: "ecr-public:DescribeImages" };
  const all = pages(
    question,
    (nextToken, options) =>
      sdk.describeImages(
        { repositoryName, maxResults: pageSize, ...(nextToken !== undefined && { nextToken }) },
        options,
      ),
    call,
  );
  for await (const { imageDetails = [] } of all) {
    for (const detail of imageDetails) {
      const image = imageOf(detail);
      if (image) yield image;
    }
  }
}

/** Takes one tag away: by its name, never by digest. With its last tag, ECR Public deletes the image. */
export async function deleteTag(ecr: EcrPublic, own: OwnRepository, tag: string, call?: Call): Promise<void> {
  await deleteOneTag(ecr.host, own.name, tag, (ids) => batchDelete(ecr, own, ids, call));
}

export function deleteManifests(
  ecr: EcrPublic,
  own: OwnRepository,
  digests: readonly Digest[],
  call?: Call,
): AsyncGenerator<Deletion, void> {
  return deleteInBatches(ecr.host, own.name, digests, (ids) => batchDelete(ecr, own, ids, call));
}

async function batchDelete(
  { sdk, ask, host }: EcrPublic,
  { name, repositoryName }: OwnRepository,
  imageIds: ImageId[],
  call?: Call,
): Promise<BatchAnswer> {
  const question = { what: `delete images of ${host}/${name}`, action: "ecr-public:BatchDeleteImage" };
  return ask(question, (options) => sdk.batchDeleteImage({ repositoryName, imageIds }, options), call);
}
