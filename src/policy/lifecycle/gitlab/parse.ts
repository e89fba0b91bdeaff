import { day, selectionOf, type Exception, type Parsed } from "../rules.ts";
import { glob, regex, type TagPattern } from "../tag-pattern.ts";
import { anchored, deletePattern, type GitlabDocument } from "./document.ts";

/** Reads a cleanup policy: one deletion of tags, but for `latest` and what is to be kept. */
export function parseGitlab(document: GitlabDocument): Parsed {
  const { enabled = false, keep_n: keepCount, older_than: olderThan, name_regex_keep: keep } = document;
  const pattern = deletePattern(document);
  if (!enabled || pattern === "") return { rules: { unit: "tag", countsParts: false, deletions: [] }, losses: [] };
  const except = (at: string, tag: TagPattern): Exception => ({
    at,
    selection: selectionOf("tagged", [tag]),
    scope: [],
    by: "push",
  });
  const deletion = {
    at: "name_regex",
    selection: selectionOf("tagged", [regex(anchored(pattern))]),
    scope: [],
    ...(olderThan && { olderThan: Number.parseInt(olderThan, 10) * day }),
    ...(typeof keepCount === "number" && { beyond: keepCount }),
    countsExceptions: false,
    except: [except("latest", glob("latest")), ...(keep ? [except("name_regex_keep", regex(anchored(keep)))] : [])],
  };
  return { rules: { unit: "tag", countsParts: false, deletions: [deletion] }, losses: [] };
}
