import { isDigest, type Digest } from "../../oci/digest.ts";
import { isAbsent, isRegistryError, RegistryError } from "../../oci/error.ts";
import { isTag } from "../../oci/reference.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Deletion } from "../service.ts";

/** By digest or by tag: with a digest all tags go, with a tag that tag alone. */
export type ImageId = { readonly imageDigest: string } | { readonly imageTag: string };

/** What BatchDeleteImage answers: with status 200, whatever became of the images. */
export interface BatchAnswer {
  readonly imageIds?: readonly { readonly imageDigest?: string | undefined; readonly imageTag?: string | undefined }[];
  readonly failures?: readonly BatchFailure[];
}

interface BatchFailure {
  readonly imageId?: { readonly imageDigest?: string | undefined; readonly imageTag?: string | undefined } | undefined;
  readonly failureCode?: string | undefined;
  readonly failureReason?: string | undefined;
}

type Batch = (ids: ImageId[]) => Promise<BatchAnswer>;

const most = 100;

/** Takes one tag away. Throws MANIFEST_UNKNOWN where it is not there. */
export async function deleteOneTag(host: string, repository: string, tag: string, batch: Batch): Promise<void> {
  const { imageIds = [], failures = [] } = await batch([{ imageTag: tag }]);
  if (failures.length === 0 && imageIds.length === 0) throw failureOf({}, host, `${repository}:${tag}`);
  if (failures[0]) throw failureOf(failures[0], host, `${repository}:${tag}`);
}

/** Waits for the deletion of one manifest; throws what kept it, and MANIFEST_UNKNOWN where it was not there. */
export async function deleteOne(
  host: string,
  repository: string,
  digest: Digest,
  deletions: AsyncIterable<Deletion>,
): Promise<void> {
  for await (const { outcome, error } of deletions) {
    if (error) throw error;
    if (outcome !== "absent") continue;
    throw new RegistryError("MANIFEST_UNKNOWN", `there is no ${host}/${repository}@${digest}`, { host });
  }
}

/**
 * Takes manifests away, a hundred with each request, and tells of each. Those that AWS holds back because an index has
 * them are tried again as long as something else went: the index may be among the digests, behind them.
 */
export async function* deleteInBatches(
  host: string,
  repository: string,
  digests: readonly Digest[],
  batch: Batch,
): AsyncGenerator<Deletion, void> {
  let left: readonly Digest[] = [...new Set(digests)];
  for (;;) {
    const held: Deletion[] = [];
    let went = 0;
    for (let from = 0; from < left.length; from += most) {
      for (const deletion of await deleteBatch(host, repository, left.slice(from, from + most), batch)) {
        if (deletion.outcome === "deleted") went++;
        if (isRegistryError(deletion.error, "CONFLICT")) held.push(deletion);
        else yield deletion;
      }
    }
    if (held.length === 0 || went === 0) return yield* held;
    left = held.map(({ digest }) => digest);
  }
}

async function deleteBatch(
  host: string,
  repository: string,
  digests: readonly Digest[],
  batch: Batch,
): Promise<readonly Deletion[]> {
  try {
    const { imageIds = [], failures = [] } = await batch(digests.map((imageDigest) => ({ imageDigest })));
    return digests.map((digest): Deletion => {
      const failure = failures.find(({ imageId }) => imageId?.imageDigest === digest);
      if (!failure && imageIds.some(({ imageDigest }) => imageDigest === digest)) return deleted(digest, imageIds);
      // Of what it tells neither way nobody knows that it went.
      const error = failureOf(failure ?? {}, host, `${repository}@${digest}`);
      return isAbsent(error) ? { digest, outcome: "absent" } : { digest, outcome: "failed", error };
    });
  } catch (error) {
    if (!isRegistryError(error) || error.code === "ABORTED") throw error;
    return digests.map((digest) =>
      isAbsent(error) ? { digest, outcome: "absent" } : { digest, outcome: "failed", error },
    );
  }
}

function deleted(digest: Digest, ids: NonNullable<BatchAnswer["imageIds"]>): Deletion {
  const tags = ids.flatMap(({ imageDigest, imageTag }) =>
    imageDigest === digest && imageTag !== undefined && isTag(imageTag) ? [imageTag] : [],
  );
  return { digest, outcome: "deleted", ...(tags.length > 0 && { tags }) };
}

function failureOf({ failureCode = "", failureReason = "" }: BatchFailure, host: string, image: string): RegistryError {
  const said = plainText(failureReason) || plainText(failureCode) || "AWS does not say why";
  const message = `cannot delete ${host}/${image}: ${said}`;
  switch (failureCode) {
    case "ImageNotFound":
      return new RegistryError("MANIFEST_UNKNOWN", message, { host });
    case "ImageReferencedByManifestList": {
      const index = said.match(/sha256:\w+/g)?.find((text) => isDigest(text) && !image.endsWith(text));
      const hint = `an index has it: delete ${index ?? "that"} first, or with it`;
      return new RegistryError("CONFLICT", message, { host, hint });
    }
    case "KmsError":
      return new RegistryError("DENIED", message, {
        host,
        hint: "the role may not use the KMS key of the repository, or the key is disabled",
      });
    case "InvalidImageDigest":
    case "InvalidImageTag":
    case "MissingDigestAndTag":
      return new RegistryError("INVALID", message, { host });
    default:
      return new RegistryError(failureCode.startsWith("Upstream") ? "UNAVAILABLE" : "DENIED", message, { host });
  }
}
