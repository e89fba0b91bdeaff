import { candidatesOf, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { day } from "../rules.ts";

/** A retention policy of an Azure registry. */
export interface AcrDocument {
  readonly days: number;
  readonly status?: "enabled" | "disabled";
}

/**
 * By Microsoft's pages on retention of untagged manifests. Azure counts from when the last tag went, which it does not
 * tell: here the push counts, so that some of what is named goes later.
 */
export function simulateAcr<Image extends LifecycleImage>(
  { days, status = "enabled" }: AcrDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  return candidatesOf(images, "image", options).map(({ image, tags, age, isPart }) => {
    const keep = (reason: string): Decision<Image> => ({ image, action: "keep", tags: [], reason });
    if (status === "disabled") return keep("the policy is disabled");
    if (tags.length > 0) return keep("it has a tag");
    if (isPart) return keep("an index is made of it");
    if (image.state === "locked" || image.immutable) return keep("it is locked");
    if (age <= days * day) return keep(`it is not ${days} days old`);
    return { image, action: "delete", tags: [], rule: "days", reason: `it has no tag and is older than ${days} days` };
  });
}
