import { isDigest, type Digest } from "../../oci/digest.ts";
import type { Call } from "../../store/store.ts";
import { deleteInBatches, deleteOneTag, type BatchAnswer, type ImageId } from "../aws/delete.ts";
import { imageOf, momentOf } from "../aws/images.ts";
import type { Deletion, ImageInfo } from "../service.ts";
import type { Ecr } from "./api.ts";

const pageSize = 1000;

/** The images, those in the archive too, a thousand with each request. */
export async function* images(
  { sdk, registry, pages, host }: Ecr,
  repository: string,
  call?: Call,
): AsyncGenerator<ImageInfo, void> {
  const question = { what: `list the images of ${host}/${repository}`, action: "ecr:DescribeImages" };
  const all = pages(
    question,
    (nextToken, options) =>
      sdk.describeImages(
        {
          ...registry,
          repositoryName: repository,
          maxResults: pageSize,
          filter: { imageStatus: "ANY" },
          ...(nextToken !== undefined && { nextToken }),
        },
        options,
      ),
    call,
  );
  for await (const { imageDetails = [] } of all) {
    for (const detail of imageDetails) {
      const image = imageOf(detail);
      if (!image) continue;
      const { subjectManifestDigest: subject, imageStatus } = detail;
      const pulled = momentOf(detail.lastRecordedPullTime);
      const state = imageStatus === "ARCHIVED" || imageStatus === "ACTIVATING" ? imageStatus.toLowerCase() : undefined;
      yield {
        ...image,
        ...(pulled !== undefined && { pulled }),
        ...(subject !== undefined && isDigest(subject) && { subject }),
        ...(state !== undefined && { state }),
      };
    }
  }
}

/** Takes one tag away: by its name, never by digest. With its last tag, ECR deletes the image. */
export async function deleteTag(ecr: Ecr, repository: string, tag: string, call?: Call): Promise<void> {
  await deleteOneTag(ecr.host, repository, tag, (ids) => batchDelete(ecr, repository, ids, call));
}

export function deleteManifests(
  ecr: Ecr,
  repository: string,
  digests: readonly Digest[],
  call?: Call,
): AsyncGenerator<Deletion, void> {
  return deleteInBatches(ecr.host, repository, digests, (ids) => batchDelete(ecr, repository, ids, call));
}

async function batchDelete(
  { sdk, ask, registry, host }: Ecr,
  repository: string,
  imageIds: ImageId[],
  call?: Call,
): Promise<BatchAnswer> {
  const question = { what: `delete images of ${host}/${repository}`, action: "ecr:BatchDeleteImage" };
  return ask(
    question,
    (options) => sdk.batchDeleteImage({ ...registry, repositoryName: repository, imageIds }, options),
    call,
  );
}
