import { covers, type Selection } from "../rules.ts";
import { globsOf, type TagPattern } from "../tag-pattern.ts";
import type { Selector } from "./document.ts";

/** The selectors that together take what a selection means; undefined where no patterns of Harbor do. */
export function selectorsOf({ state, tags }: Selection): readonly Selector[] | undefined {
  if (state === "untagged") return [selector("excludes", "**", false)];
  const untagged = state === "any";
  if (tags.length === 0) return [selector("matches", "**", untagged)];
  const found = tags.map((group) => {
    const pattern = patternOf(group);
    const isNegated = group.length === 1 && group[0]!.negated === true;
    return pattern === undefined
      ? undefined
      : selector(isNegated ? "excludes" : "matches", pattern, isNegated ? !untagged : untagged);
  });
  return found.every((one) => one !== undefined) ? found : undefined;
}

/** Lists of selectors of which one takes each image that a selection does not mean; undefined where no patterns say so. */
export function elsewhere(selection: Selection): readonly (readonly Selector[])[] | undefined {
  const { state, tags } = selection;
  if (covers(selection, { state: "any", tags: [] })) return [];
  if (state === "untagged") return [[selector("matches", "**", false)]];
  const untagged = state === "any";
  if (tags.length === 0) return [[selector("excludes", "**", false)]];
  const found = tags.map((group) => {
    const pattern = patternOf(group);
    if (pattern === undefined) return undefined;
    // Of images whose tags all fit, one tag does.
    const isNegated = group[0]!.negated === true;
    return [selector(isNegated ? "matches" : "excludes", pattern, isNegated ? !untagged : untagged)];
  });
  return found.every((one) => one !== undefined) ? found : undefined;
}

function selector(decoration: "matches" | "excludes", pattern: string, untagged: boolean): Selector {
  return { kind: "doublestar", decoration, pattern, extras: JSON.stringify({ untagged }) };
}

/** One pattern for a group; a negated one stands alone. */
function patternOf(group: readonly TagPattern[]): string | undefined {
  if (group.length > 1 && group.some(({ negated }) => negated)) return undefined;
  const globs = group.map(globsOf);
  if (!globs.every((one) => one !== undefined)) return undefined;
  const texts = [...new Set(globs.flat())];
  return texts.length === 1 ? texts[0] : `{${texts.join(",")}}`;
}
