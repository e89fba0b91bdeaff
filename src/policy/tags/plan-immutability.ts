import type { Note, Plan, SetImmutability } from "../../plan/plan.ts";
import { re2Fault } from "../lifecycle/regex.ts";
import { globRegex, parsePattern } from "../pattern.ts";

/** How a service is told which tags never move: patterns of its own kind, or names; a service that knows neither has all or none. */
export interface ImmutableForm {
  readonly patterns: "wildcard" | "doublestar" | "regex" | "names";
  /** How many at most. */
  readonly most?: number;
  /** How many `*` a pattern has at most. */
  readonly stars?: number;
}

export interface ImmutabilityState {
  readonly repository: string;
  /** What people call the service. */
  readonly service: string;
  readonly form?: ImmutableForm;
  /** What holds now, and for what if that is more than the repository. */
  readonly before: NonNullable<SetImmutability["before"]> & { readonly scope?: string };
}

/**
 * Plans to tell a service which tags never move. What it cannot be told is noted and left to Gantry: it is never told more than
 * the patterns say. Throws INVALID for what is no pattern.
 */
export function planImmutability(patterns: readonly string[], state: ImmutabilityState, now: Date): Plan {
  const { repository, service, form, before } = state;
  const notes: Note[] = [];
  const lose = (pattern: string, why: string): void =>
    void notes.push({
      level: "warning",
      at: repository,
      message: `${pattern} is kept by Gantry alone, and ${service} lets others move those tags: ${why}`,
    });
  const all = patterns.some(isEvery);
  const except = new Set<string>();
  for (const text of all ? [] : patterns) {
    parsePattern(text);
    const said = sayIn(text, form);
    if (typeof said === "string") lose(text, said);
    else if (except.size + said.length > (form?.most ?? Infinity))
      lose(text, `it takes ${form!.most} patterns at most`);
    else for (const one of said) except.add(one);
  }
  const wanted = all ? { tags: "immutable" as const } : { tags: "mutable" as const, except: [...except] };
  const { scope, ...old } = before;
  if (scope !== undefined) notes.push({ level: "warning", at: repository, message: `it holds for ${scope}` });
  const base = { version: 1, kind: "tags", made: now.toISOString(), from: "tags.immutable", notes } as const;
  const isSaid = all || except.size > 0;
  const essence = ({ tags, except: but = [] }: typeof old): string => JSON.stringify([tags, [...but].toSorted()]);
  if (!isSaid || essence(old) === essence(wanted)) {
    const why = isSaid
      ? "its service keeps these tags already"
      : "nothing of tags.immutable can be said to its service";
    return { ...base, steps: [], kept: [{ at: repository, why }] };
  }
  const step: SetImmutability = {
    id: "1",
    do: "set immutability",
    at: repository,
    ...wanted,
    ...(!all && form && form.patterns !== "names" && { patterns: form.patterns }),
    before: old,
    why: all ? "no tag ever moves" : `tags like ${[...except].join(", ")} never move`,
  };
  return { ...base, steps: [step], kept: [] };
}

const isEvery = (text: string): boolean => /^(?:\*{1,2}|\/\^?\.[*+]\$?\/)$/.test(text);

/** A pattern in the service's form, which may take several of its patterns; a text says why it cannot be said. */
function sayIn(text: string, form: ImmutableForm | undefined): readonly string[] | string {
  if (!form) return "it keeps all tags or none";
  if (text.startsWith("semver:")) {
    if (form.patterns !== "regex" || !/^semver:[*x]?$/.test(text)) return "it knows no ranges of versions";
    return [String.raw`^[a-zA-Z_-]*\d{1,7}\.\d{1,9}\.\d{1,9}$`];
  }
  const regex = /^\/(.+)\/$/s.exec(text)?.[1];
  if (regex !== undefined) {
    if (form.patterns !== "regex") return "it knows no regular expressions";
    const fault = re2Fault(regex);
    return fault === undefined ? [`^(?:${regex})$`] : `the expression ${fault}`;
  }
  if (form.patterns === "regex") return [`^(?:${globRegex(text)})$`];
  const each = alternatives(text).map((one) => one.replaceAll(/\*+/g, "*"));
  const fits = { wildcard: /^[\w.*-]+$/, doublestar: /^[\w.*?[\]^!-]+$/, names: /^[\w.-]+$/ }[form.patterns];
  const odd = each.find((one) => !fits.test(one) || one.split("*").length - 1 > (form.stars ?? Infinity));
  if (odd === undefined) return each;
  return form.patterns === "names" ? "it keeps single tags, by their names" : `it cannot be told ${odd}`;
}

/** `{a,b}` taken apart; braces in braces stay. */
function alternatives(glob: string): readonly string[] {
  const [, before = "", inner, after = ""] = /^([^{}]*)\{([^{}]*)\}(.*)$/.exec(glob) ?? [];
  if (inner === undefined) return [glob];
  return inner.split(",").flatMap((one) => alternatives(`${before}${one}${after}`));
}
