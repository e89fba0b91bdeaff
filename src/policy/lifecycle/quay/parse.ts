import { alternativesOf } from "../regex.ts";
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
  const pattern = regex(found(tagPattern));
  return (tagPatternMatches ?? true) ? pattern : { ...pattern, negated: true };
}

/** A regular expression that a whole text fits where Quay finds this one somewhere in it. */
function found(text: string): string {
  if (alternativesOf(text).length > 1) return `.*(?:${text}).*`;
  const [start, end] = [text.startsWith("^"), /(?<!\\)(?:\\\\)*\$$/.test(text)];
  return `${start ? "" : ".*"}${text.slice(start ? 1 : 0, end ? -1 : undefined)}${end ? "" : ".*"}`;
}
