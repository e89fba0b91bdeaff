import { losses, type Losses } from "../fold.ts";
import { isAll, type FormatOptions, type Formatted, type Rules } from "../rules.ts";
import { alternativesOf } from "../regex.ts";
import { unionOf } from "../tag-pattern.ts";
import { tagDeletions, type TagDeletion } from "../tag-rules.ts";
import type { QuayPolicy } from "./document.ts";

/** Writes auto-prune policies, each of which goes by number or by age, and by tags that fit a pattern or do not. */
export function formatQuay(rules: Rules, options: FormatOptions = {}): Formatted {
  const lost = losses();
  const policies = tagDeletions(rules, options, lost).flatMap((deletion) => policyOf(deletion, lost) ?? []);
  return { document: policies.length > 0 ? { policies } : undefined, losses: lost.all };
}

function policyOf(deletion: TagDeletion, lost: Losses): QuayPolicy | undefined {
  const { at, beyond, olderThan } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  const pattern = patternOf(deletion);
  if (!pattern) return leftOut("keeps some of the tags that it selects, and a policy of Quay has one pattern");
  if (beyond !== undefined && olderThan > 0)
    return leftOut("goes by age and number together, and a policy of Quay by one of them");
  if (beyond === undefined) return { method: "creation_date", value: durationOf(olderThan), ...pattern };
  return { method: "number_of_tags", value: Math.max(1, beyond), ...pattern };
}

type Pattern = Pick<QuayPolicy, "tagPattern" | "tagPatternMatches">;

function patternOf({ tags, except }: TagDeletion): Pattern | undefined {
  const everything = tags.some(isAll);
  if (except.length > 0) {
    if (!everything || except.some(({ negated }) => negated)) return undefined;
    return { tagPattern: whole(unionOf(except)), tagPatternMatches: false };
  }
  if (everything) return {};
  const [only, ...more] = tags;
  if (only!.negated && more.length === 0) return { tagPattern: whole(unionOf(tags)), tagPatternMatches: false };
  return tags.some(({ negated }) => negated)
    ? undefined
    : { tagPattern: whole(unionOf(tags)), tagPatternMatches: true };
}

const whole = (text: string): string => (alternativesOf(text).length > 1 ? `^(?:${text})$` : `^${text}$`);

function durationOf(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`;
  return `${Math.ceil(seconds)}s`;
}
