import { doublestarRegex, expandBraces } from "../doublestar.ts";
import { losses } from "../fold.ts";
import { day, isAll, type Deletion, type Exception, type Parsed, type Scope, type Selection } from "../rules.ts";
import { glob, regex, type TagPattern } from "../tag-pattern.ts";
import {
  fromHarbor,
  numberOf,
  rulesIn,
  takesUntagged,
  type HarborDocument,
  type HarborRule,
  type Placed,
  type Selector,
} from "./document.ts";

/** Reads a retention policy: in the repositories of its rules all goes but for what they retain. */
export function parseHarbor(document: HarborDocument): Parsed {
  const lost = losses();
  const { rules: active, immutable } = rulesIn(document);
  const held = immutable.flatMap((rule) => exceptionsOf({ ...rule, action: "retain", template: "always" }));
  const except = [...active.flatMap((rule) => exceptionsOf(rule)), ...held];
  const scopes = new Map(active.map((rule) => [JSON.stringify(scopeOf(rule)), { rule, scope: scopeOf(rule) }]));
  const deletions = [...scopes.values()].map(({ rule: { at }, scope }): Deletion => ({
    at,
    selection: { state: "any", tags: [] },
    scope,
    countsExceptions: true,
    except,
  }));
  const { rules } = "retention" in document ? document.retention : document;
  const at = "retention" in document ? "retention.rules" : "rules";
  rules.forEach(({ disabled }, i) => disabled && lost.add(`${at}[${i}]`, "is disabled: left out"));
  for (const { at, template } of active) {
    if (template === "nDaysSinceLastPull") lost.add(at, "does not retain what was never pulled, however new it is");
  }
  return { rules: { unit: "image", countsParts: false, deletions }, losses: lost.all };
}

function scopeOf({ scope_selectors: { repository } }: HarborRule): Scope {
  return repository
    .filter(({ decoration, pattern }) => !(decoration === "repoMatches" && pattern === "**"))
    .map(({ decoration, pattern }) => ({ glob: fromHarbor(pattern), negated: decoration === "repoExcludes" }));
}

function exceptionsOf(rule: Placed<HarborRule>): readonly Exception[] {
  const { at, template } = rule;
  const number = numberOf(rule);
  const selection = selectionIn(rule.tag_selectors);
  if (!selection) return [];
  const base = { at, selection, scope: scopeOf(rule), by: "push" } as const;
  switch (template) {
    case "always":
      return [base];
    case "latestPushedK":
      return [{ ...base, newest: number }];
    case "latestPulledN":
      return [{ ...base, newest: number, by: "pull" }];
    case "latestActiveK":
      return [{ ...base, newest: number, by: "activity" }];
    case "lastXDays":
    case "nDaysSinceLastPush":
      return [{ ...base, within: number * day }];
    default:
      return [{ ...base, within: number * day, by: "pull" }];
  }
}

/** What all selectors take; undefined where that is nothing. */
function selectionIn(selectors: readonly Selector[]): Selection | undefined {
  const untagged = selectors.every(takesUntagged);
  const groups = selectors.map(groupOf);
  const nothing = groups.some((group) => group === undefined);
  if (nothing) return untagged ? { state: "untagged", tags: [] } : undefined;
  const tags = groups.filter((group) => group !== undefined).filter((group) => !group.some(isAll));
  return { state: untagged ? "any" : "tagged", tags };
}

/** The patterns of which one has to fit; undefined where no tag can. */
function groupOf({ decoration, pattern: text }: Selector): readonly TagPattern[] | undefined {
  const pattern = fromHarbor(text);
  const parts = expandBraces(pattern);
  if (decoration === "excludes") {
    if (parts.some((part) => /^\*+$/.test(part))) return undefined;
    return [
      parts.length === 1 && isGlob(pattern)
        ? { ...glob(pattern), negated: true }
        : { ...regex(doublestarRegex(pattern)), negated: true },
    ];
  }
  return parts.map((part) => (isGlob(part) ? glob(part.replace(/\*+/g, "*")) : regex(doublestarRegex(part))));
}

const isGlob = (pattern: string): boolean => /^[\w.*-]*$/.test(pattern);
