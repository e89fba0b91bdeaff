import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { day } from "../rules.ts";
import { fitsTag, regex } from "../tag-pattern.ts";
import { anchored, deletePattern, type GitlabDocument } from "./document.ts";

/**
 * By GitLab's source (Projects::ContainerRepository::CleanupTagsBaseService): `latest` stays, then what name_regex_keep
 * or not name_regex fits, then the newest keep_n of the rest, then what is not older than older_than; tags go one by one.
 */
export function simulateGitlab<Image extends LifecycleImage>(
  document: GitlabDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const { enabled = false, keep_n: keepCount, older_than: olderThan } = document;
  const [goes, stays] = [regex(anchored(deletePattern(document))), regex(anchored(document.name_regex_keep ?? ""))];
  let rank = 0;
  const decide = ({ image, tags, age }: Candidate<Image>): Decision<Image> => {
    const keep = (reason: string, rule?: string): Decision<Image> => ({
      image,
      action: "keep",
      tags: [],
      reason,
      ...(rule !== undefined && { rule }),
    });
    const [tag] = tags;
    if (!enabled) return keep("the policy is not enabled", "enabled");
    if (tag === undefined) return keep("it has no tag, and the policy is about tags");
    if (tag === "latest") return keep("latest always stays");
    if (!fitsTag(goes, tag)) return keep("name_regex does not fit", "name_regex");
    if (fitsTag(stays, tag)) return keep("name_regex_keep fits", "name_regex_keep");
    const place = rank++;
    if (typeof keepCount === "number" && place < keepCount)
      return keep(`it is among the newest ${keepCount}`, "keep_n");
    if (olderThan && age <= Number.parseInt(olderThan, 10) * day)
      return keep(`it is not older than ${olderThan}`, "older_than");
    if (image.immutable) return keep("it is protected");
    return { image, action: "delete", tags, rule: "name_regex", reason: "name_regex fits and nothing keeps it" };
  };
  return candidatesOf(images, "tag", options).map(decide);
}
