import { isObject } from "../../oci/descriptor.ts";
import { lifecycleDialects, type LifecycleDialect } from "./dialects.ts";
import { looksLikeZot } from "./zot/document.ts";

/** Which dialect a document is in, by its keys; undefined where that cannot be told. */
export function guessDialect(document: unknown): LifecycleDialect | undefined {
  if (!isObject(document)) return undefined;
  const { rules } = document;
  const first: unknown = Array.isArray(rules) ? rules[0] : undefined;
  const isZot = looksLikeZot(document);
  const marks: Readonly<Record<LifecycleDialect, boolean>> = {
    ecr: isObject(first) && "rulePriority" in first,
    "artifact-registry": "cleanupPolicies" in document,
    acr: "days" in document,
    harbor: "algorithm" in (isObject(document["retention"]) ? document["retention"] : document),
    gitlab: ["cadence", "keep_n", "older_than", "name_regex", "name_regex_keep"].some((key) => key in document),
    quay: "policies" in document && !isZot,
    zot: isZot,
  };
  const fitting = lifecycleDialects.filter((dialect) => marks[dialect]);
  return fitting.length === 1 ? fitting[0] : undefined;
}
