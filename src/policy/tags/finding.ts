import type { Digest } from "../../oci/digest.ts";

/** How much a finding matters, the most first. */
export const severities = ["error", "warning", "info"] as const;
export type TagSeverity = (typeof severities)[number];

/** What is looked for in the tags of a repository. */
export const tagRules = {
  overwritten: "a version that was published names another image now",
  "alias-behind": "1.2, 1 or latest is not at the newest version that it stands for",
  "prerelease-latest": "latest is a pre-release",
  "missing-platforms": "a version lacks platforms that the one before it has",
  "only-latest": "nothing but latest: nobody can say what runs, or go back",
  "only-dates": "dates alone: nobody can tell a fix from a break",
  "mixed-prefix": "versions with and without v",
  "case-only": "tags that differ in upper and lower case only",
  "left-behind": "images that no tag leads to any more, as when tags move on",
  removed: "a version that was there is gone",
  unreadable: "something that cannot be read, and so was not looked at",
} as const;
export type TagRuleName = keyof typeof tagRules;

/** Something that is not well with the tags of a repository. */
export interface TagFinding {
  readonly severity: TagSeverity;
  readonly rule: TagRuleName;
  /** The repository, tag or manifest that it is about. */
  readonly at: string;
  readonly message: string;
  /** What to do. */
  readonly advice: string;
  /** What a tag that is behind should name. */
  readonly digest?: Digest;
}
