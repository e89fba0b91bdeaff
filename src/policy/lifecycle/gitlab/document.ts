import { alternativesOf } from "../regex.ts";

/** A cleanup policy of a GitLab project. */
export interface GitlabDocument {
  readonly enabled?: boolean;
  readonly cadence?: string;
  readonly keep_n?: number | null;
  readonly older_than?: string | null;
  readonly name_regex?: string | null;
  readonly name_regex_delete?: string | null;
  readonly name_regex_keep?: string | null;
}

export const deletePattern = ({ name_regex_delete: one, name_regex: other }: GitlabDocument): string =>
  one || other || "";

/** GitLab puts `\A` and `\z` around a pattern without a group: of `a|b`, each side is anchored at one end only. */
export function anchored(pattern: string): string {
  return alternativesOf(pattern).length > 1 ? `.*(?:^${pattern}$).*` : pattern;
}
