import { alternativesOf } from "../regex.ts";
import type { Warning } from "../warning.ts";
import type { GitlabDocument } from "./document.ts";

/** Alternatives that are not anchored as a whole. */
export function warningsOfGitlab(document: GitlabDocument): readonly Warning[] {
  return (["name_regex", "name_regex_delete", "name_regex_keep"] as const).flatMap((at) => {
    const alternatives = alternativesOf(document[at] ?? "");
    if (alternatives.length < 2) return [];
    const message = `fits what begins with ${alternatives[0]} or ends with ${alternatives.at(-1)}: to mean whole tags, write (${document[at]})`;
    return [{ at, message }];
  });
}
