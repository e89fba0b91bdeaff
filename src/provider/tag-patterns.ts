import { RegistryError } from "../oci/error.ts";
import type { Immutability } from "./service.ts";

/**
 * The exceptions of a rule as regular expressions, for services that know no other patterns. Throws INVALID for
 * one that is empty.
 */
export function exceptionsAsRegex({ except = [], patterns = "regex" }: Immutability): readonly string[] {
  return except.map((pattern) => {
    if (pattern !== "") return patterns === "regex" ? pattern : regexOfWildcard(pattern);
    throw new RegistryError("INVALID", `${JSON.stringify(pattern)} is no pattern of tags`, {
      hint: 'write a regular expression such as "v[0-9]+.*", or say that it has wildcards',
    });
  });
}

function regexOfWildcard(pattern: string): string {
  const parts = pattern.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return `^${parts.join(".*")}$`;
}

/** Fits every tag. */
export const everyTag = ".*";

/** Whether a regular expression is one of those in which people say "every tag". */
export function isEveryTag(regex: string): boolean {
  return /^\^?(?:\.\*|\.\+)\$?$/.test(regex);
}
