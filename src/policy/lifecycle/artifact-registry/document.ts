/** What Artifact Registry has of cleanup policies, as far as it is read here. */
export interface ArtifactRegistryDocument {
  readonly cleanupPolicies: Readonly<Record<string, CleanupPolicy>>;
  readonly cleanupPolicyDryRun?: boolean;
}

export interface CleanupPolicy {
  readonly id?: string;
  readonly action: "DELETE" | "KEEP";
  readonly condition?: Condition;
  readonly mostRecentVersions?: { readonly packageNamePrefixes?: readonly string[]; readonly keepCount: number };
}

export interface Condition {
  readonly tagState?: "TAGGED" | "UNTAGGED" | "ANY";
  readonly tagPrefixes?: readonly string[];
  readonly versionNamePrefixes?: readonly string[];
  readonly packageNamePrefixes?: readonly string[];
  /** `2592000s` */
  readonly olderThan?: string;
  readonly newerThan?: string;
}

export const secondsOf = (duration: string): number => Number.parseFloat(duration);
