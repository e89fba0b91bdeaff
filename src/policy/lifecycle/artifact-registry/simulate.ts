import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { secondsOf, type ArtifactRegistryDocument, type CleanupPolicy, type Condition } from "./document.ts";

/** By Google's pages on cleanup policies: what a DELETE fits goes, unless a KEEP fits too; every manifest is a version. */
export function simulateArtifactRegistry<Image extends LifecycleImage>(
  { cleanupPolicies, cleanupPolicyDryRun = false }: ArtifactRegistryDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const policies = Object.entries(cleanupPolicies);
  const fitting = (action: CleanupPolicy["action"], candidate: Candidate, rank: number): string | undefined =>
    policies.find(
      ([, policy]) => policy.action === action && fits(policy, candidate, rank, packageOf(options.repository)),
    )?.[0];
  return candidatesOf(images, "image", options).map((candidate, rank) => {
    const { image, tags, isPart } = candidate;
    const keep = (reason: string): Decision<Image> => ({ image, action: "keep", tags: [], reason });
    const [deletes, keeps] = [fitting("DELETE", candidate, rank), fitting("KEEP", candidate, rank)];
    if (deletes === undefined) return keep("no policy deletes it");
    if (keeps !== undefined) return { ...keep(`${keeps} keeps it`), rule: `cleanupPolicies.${keeps}` };
    if (isPart) return keep("an index is made of it");
    const reason = `${deletes} deletes it${cleanupPolicyDryRun ? ", were it no dry run" : ""}`;
    return { image, action: "delete", tags, rule: `cleanupPolicies.${deletes}`, reason };
  });
}

function fits(
  { condition, mostRecentVersions }: CleanupPolicy,
  candidate: Candidate,
  rank: number,
  repository: string,
): boolean {
  if (mostRecentVersions) {
    return startsWithAny(mostRecentVersions.packageNamePrefixes, [repository]) && rank < mostRecentVersions.keepCount;
  }
  return condition !== undefined && fitsCondition(condition, candidate, repository);
}

function fitsCondition(condition: Condition, { tags, age, image }: Candidate, repository: string): boolean {
  const { tagState = "ANY", tagPrefixes, versionNamePrefixes, packageNamePrefixes, olderThan, newerThan } = condition;
  return (
    (tagState === "ANY" || (tagState === "TAGGED") === tags.length > 0) &&
    startsWithAny(tagPrefixes, tags) &&
    startsWithAny(versionNamePrefixes, image.digest === undefined ? [] : [image.digest]) &&
    startsWithAny(packageNamePrefixes, [repository]) &&
    (olderThan === undefined || age > secondsOf(olderThan)) &&
    (newerThan === undefined || age <= secondsOf(newerThan))
  );
}

/** `PROJECT/REPOSITORY/PACKAGE`, where the project may be `DOMAIN/PROJECT`; of hosts that name the repository, `PROJECT/PACKAGE`. */
function packageOf(name: string): string {
  const [first, ...parts] = name.split("/");
  const below = first!.includes(".") ? parts.slice(1) : parts;
  return (below.length > 1 ? below.slice(1).join("/") : below[0]) ?? name;
}

function startsWithAny(prefixes: readonly string[] = [], names: readonly string[]): boolean {
  return prefixes.length === 0 || prefixes.some((prefix) => names.some((name) => name.startsWith(prefix)));
}
