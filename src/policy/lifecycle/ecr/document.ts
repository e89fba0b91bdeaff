/** A lifecycle policy of ECR, as far as it is read here. */
export interface EcrDocument {
  readonly rules: readonly EcrRule[];
}

export interface EcrRule {
  readonly rulePriority: number;
  readonly description?: string;
  readonly selection: {
    readonly tagStatus: "tagged" | "untagged" | "any";
    readonly tagPatternList?: readonly string[];
    readonly tagPrefixList?: readonly string[];
    readonly storageClass?: "standard" | "archive";
    readonly countType: "imageCountMoreThan" | "sinceImagePushed" | "sinceImagePulled" | "sinceImageTransitioned";
    readonly countUnit?: "days";
    readonly countNumber: number;
  };
  readonly action: { readonly type: "expire" | "transition"; readonly targetStorageClass?: "archive" };
}

/** The rules by priority, each with its place in the document. */
export function byPriority(document: EcrDocument): readonly (EcrRule & { readonly at: string })[] {
  return document.rules
    .map((rule, i) => ({ ...rule, at: `rules[${i}]` }))
    .toSorted((a, b) => a.rulePriority - b.rulePriority);
}
