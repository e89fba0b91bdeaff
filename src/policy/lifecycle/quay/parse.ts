import { anywhere } from "../regex.ts";
import { selectionOf, type Deletion, type Parsed } from "../rules.ts";
import { regex, type TagPattern } from "../tag-pattern.ts";
import { secondsOf, type QuayDocument, type QuayPolicy } from "./document.ts";

/** Reads auto-prune policies: each is a deletion of tags by itself. */
export function parseQuay({ policies }: QuayDocument): Parsed {
  const deletions = policies.map((policy, i): Deletion => {
    const { method, value } = policy;
    const pattern = patternOf(policy);
    return {
      at: `policies[${i}]`,
      selection: selectionOf("tagged", ...(pattern ? [[pattern]] : [])),
      scope: [],
      ...(method === "number_of_tags" ? { beyond: Number(value) } : { olderThan: secondsOf(value) }),
      countsExceptions: true,
      except: [],
    };
  });
  return { rules: { unit: "tag", countsParts: false, deletions }, losses: [] };
}

function patternOf({ tagPattern, tagPatternMatches }: QuayPolicy): TagPattern | undefined {
  if (tagPattern === undefined || tagPattern === null) return undefined;
  const pattern = regex(anywhere(tagPattern));
  return (tagPatternMatches ?? true) ? pattern : { ...pattern, negated: true };
}
