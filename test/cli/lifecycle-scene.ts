/** A policy of ECR that others can say in part: old dev- images go, and of the rest all but ten. */
export const ecrPolicy = {
  rules: [
    {
      rulePriority: 1,
      description: "builds of branches",
      selection: {
        tagStatus: "tagged",
        tagPatternList: ["dev-*"],
        countType: "sinceImagePushed",
        countUnit: "days",
        countNumber: 14,
      },
      action: { type: "expire" },
    },
    {
      rulePriority: 2,
      selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 10 },
      action: { type: "expire" },
    },
  ],
};

/** A policy of a Harbor project: the ten images that were pushed last stay. */
export const retention = {
  algorithm: "or",
  rules: [
    {
      disabled: false,
      action: "retain",
      template: "latestPushedK",
      params: { latestPushedK: 10 },
      tag_selectors: [{ kind: "doublestar", decoration: "matches", pattern: "**", extras: '{"untagged":true}' }],
      scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "**" }] },
    },
  ],
  trigger: { kind: "Schedule", settings: { cron: "0 0 0 * * *" } },
  scope: { level: "project", ref: 1 },
};
