/** What a build is of: what tags are made from. */
export interface BuildContext {
  /** A git ref in full: `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/12/merge`. */
  readonly ref?: string;
  /** The commit. */
  readonly sha?: string;
  /** Why the build runs: `push`, `pull_request`, `schedule`, or another event as GitHub names them. */
  readonly event?: string;
  readonly defaultBranch?: string;
  /** The branch that a pull request goes to, or that a tag was made on. */
  readonly baseRef?: string;
  /** When it was committed: milliseconds since 1970. */
  readonly committed?: number;
  /** How many characters of the commit a short one has; 7. */
  readonly shortLength?: number;
}

const part = (ref: string | undefined, before: string): string | undefined =>
  ref?.startsWith(before) ? ref.slice(before.length) : undefined;

/** The branch that is built, if it is one. */
export const branchOf = ({ ref }: BuildContext): string | undefined => part(ref, "refs/heads/");
/** The git tag that is built, if it is one. */
export const gitTagOf = ({ ref }: BuildContext): string | undefined => part(ref, "refs/tags/");
/** The pull request that is built, if it is one. */
export const pullRequestOf = ({ ref }: BuildContext): string | undefined =>
  part(ref, "refs/pull/")?.replace(/\/merge$/, "");

/** The commit, shortened. */
export const shortSha = ({ sha = "", shortLength = 7 }: BuildContext): string => sha.slice(0, shortLength);

/** Whether what is built is the default branch: by its name, or by an event that always is about it. */
export function isDefaultBranch({ ref = "", defaultBranch, event = "" }: BuildContext): boolean {
  const branch = ref.replace(/^refs\/heads\//, "");
  if (branch === "") return false;
  return branch === defaultBranch || /create|discussion|issues|schedule/.test(event);
}
