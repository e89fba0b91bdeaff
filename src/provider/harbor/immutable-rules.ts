import { isDeepStrictEqual } from "node:util";
import type { Immutability } from "../service.ts";
import { isDoublestarMatch } from "./doublestar.ts";
import { fieldsIn, objects, textIn, type Fields } from "./fields.ts";

/** One rule of a project: the tags that it holds in the repositories that it is for. */
export interface ImmutableRule {
  readonly id: number;
  readonly enabled: boolean;
  readonly tags: Selector;
  readonly repositories: Selector;
}

/** Of what has a name: those that match a doublestar pattern, or the others. */
export interface Selector {
  readonly excludes: boolean;
  readonly pattern: string;
}

/** Reads a rule as the API has it; undefined for one that holds nothing. Of several selectors, Harbor heeds the first. */
export function parseRule(fields: Fields): ImmutableRule | undefined {
  const { id, disabled } = fields;
  const [tags] = objects(fields["tag_selectors"]);
  const [repositories] = objects(fieldsIn(fields, "scope_selectors")["repository"]);
  if (!Number.isSafeInteger(id) || !tags || !repositories) return undefined;
  return {
    id: id as number,
    enabled: disabled !== true,
    tags: { excludes: tags["decoration"] === "excludes", pattern: textIn(tags, "pattern") ?? "" },
    repositories: {
      excludes: repositories["decoration"] === "repoExcludes",
      pattern: textIn(repositories, "pattern") ?? "",
    },
  };
}

/** A rule as the API takes it. */
export function formatRule({ tags, repositories, enabled, id }: ImmutableRule): Fields {
  return {
    id,
    disabled: !enabled,
    action: "immutable",
    template: "immutable_template",
    tag_selectors: [{ kind: "doublestar", decoration: tags.excludes ? "excludes" : "matches", pattern: tags.pattern }],
    scope_selectors: {
      repository: [
        {
          kind: "doublestar",
          decoration: repositories.excludes ? "repoExcludes" : "repoMatches",
          pattern: repositories.pattern,
        },
      ],
    },
  };
}

/** The selector of one repository, by its name in the project; an empty name means all of them. */
export function selectorOf(name: string): Selector {
  return { excludes: false, pattern: name === "" ? "**" : name };
}

/** Whether a selector means this name; of an empty one, whether it means all names. */
export function isSelected({ excludes, pattern }: Selector, name: string): boolean {
  if (name === "") return !excludes && isAll(pattern);
  return isDoublestarMatch(pattern, name) !== excludes;
}

/** Tags have no slashes: one star is as good as two for them. */
function isAll(pattern: string): boolean {
  return /^\**$/.test(pattern);
}

/** What rules that hold for one repository make of its tags together; undefined for what cannot be said in one line. */
export function immutabilityOf(rules: readonly ImmutableRule[]): Immutability | undefined {
  const selectors = rules.filter(({ enabled }) => enabled).map(({ tags }) => tags);
  if (selectors.length === 0) return { tags: "mutable" };
  if (selectors.some(({ excludes, pattern }) => !excludes && /^\*{0,2}$/.test(pattern))) return { tags: "immutable" };
  const [first] = selectors;
  const except = [...new Set(selectors.flatMap(({ pattern }) => alternatives(pattern)))];
  if (selectors.every(({ excludes }) => !excludes)) return { tags: "mutable", except, patterns: "doublestar" };
  const isOne = selectors.every((selector) => isDeepStrictEqual(selector, first));
  return isOne ? { tags: "immutable", except, patterns: "doublestar" } : undefined;
}

/** `{a,b}` is a and b. */
function alternatives(pattern: string): readonly string[] {
  const [, body] = /^\{([^{}\\]+)\}$/.exec(pattern) ?? [];
  return body === undefined ? [pattern] : body.split(",").filter((part) => part !== "");
}

/** The tags of the rules that make an immutability. */
export function selectorsOf({ tags, except = [] }: Immutability): readonly Selector[] {
  if (tags === "mutable") return except.map((pattern) => ({ excludes: false, pattern }));
  if (except.length === 0) return [{ excludes: false, pattern: "**" }];
  const [only] = except;
  return [{ excludes: true, pattern: except.length === 1 ? only! : `{${except.join(",")}}` }];
}
