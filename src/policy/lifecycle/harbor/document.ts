import { isObject } from "../../../oci/descriptor.ts";
import { expandBraces } from "../doublestar.ts";
import { templates, type Template } from "./templates.ts";

/** A retention policy of a Harbor project, alone or with the project's immutability rules, which hold what they are for. */
export type HarborDocument =
  | HarborRetention
  | { readonly retention: HarborRetention; readonly immutable?: readonly ImmutableRule[] };

/** As far as it is read here. */
export interface HarborRetention {
  readonly algorithm: "or";
  readonly rules: readonly HarborRule[];
  readonly trigger: unknown;
  readonly scope?: unknown;
}

export interface HarborRule {
  readonly disabled?: boolean;
  readonly action: "retain";
  readonly template: Template;
  readonly params?: Readonly<Record<string, number>> | null;
  readonly tag_selectors: readonly Selector[];
  readonly scope_selectors: { readonly repository: readonly Selector[] };
}

/** A rule of tag immutability. */
export type ImmutableRule = Pick<HarborRule, "disabled" | "tag_selectors" | "scope_selectors">;

export interface Selector {
  readonly kind: "doublestar";
  readonly decoration: string;
  /** As github.com/bmatcuk/doublestar has them. */
  readonly pattern: string;
  readonly extras?: string;
}

/** A rule that is not disabled, with its place. */
export type Placed<Rule> = Rule & { readonly at: string };

/** The rules of a document that are not disabled. */
export function rulesIn(document: HarborDocument): {
  readonly rules: readonly Placed<HarborRule>[];
  readonly immutable: readonly Placed<ImmutableRule>[];
} {
  const active = <Rule extends ImmutableRule>(rules: readonly Rule[], at: string): readonly Placed<Rule>[] =>
    rules.flatMap((rule, i) => (rule.disabled ? [] : [{ ...rule, at: `${at}[${i}]` }]));
  if (!("retention" in document)) return { rules: active(document.rules, "rules"), immutable: [] };
  const { retention, immutable = [] } = document;
  // Harbor goes by the first selector alone, whatever it says of what has no tag.
  const first = immutable.map((rule) => ({
    ...rule,
    tag_selectors: rule.tag_selectors.slice(0, 1).map((one) => ({ ...one, extras: '{"untagged":false}' })),
  }));
  return { rules: active(retention.rules, "retention.rules"), immutable: active(first, "immutable") };
}

/** The number of a rule, or what Harbor takes where none is said. */
export const numberOf = ({ template, params }: HarborRule): number => params?.[template] ?? templates[template].default;

/** Whether a selector takes images without tags: those of `matches` do and those of `excludes` too, unless they say. */
export function takesUntagged({ decoration, extras = "" }: Selector): boolean {
  const said = extras === "" ? undefined : untaggedOf(extras);
  return decoration === "excludes" ? !(said ?? false) : (said ?? true);
}

function untaggedOf(extras: string): boolean {
  const read: unknown = JSON.parse(extras);
  return isObject(read) && read["untagged"] === true;
}

/**
 * A pattern of Harbor, which has doublestar v1, as v4 has it, which is what all else here speaks: there a `**` at the end may
 * be nothing too, and `[!a]` is what `[^a]` is.
 */
export const fromHarbor = (pattern: string): string =>
  pattern.replace(/\/\*\*(?=[,}]|$)/g, "/**/*").replaceAll("[!", String.raw`[\!`);

/** The other way round. */
export function toHarbor(glob: string): string {
  const parts = expandBraces(glob).flatMap((part) => {
    const above = /^(.+)\/\*\*$/.exec(part)?.[1];
    return above === undefined ? [part.replace(/\/\*\*\/\*$/, "/**")] : [above, part];
  });
  const texts = [...new Set(parts)].map((part) => part.replaceAll("[!", "[^").replaceAll(String.raw`[\!`, "[!"));
  return texts.length === 1 ? texts[0]! : `{${texts.join(",")}}`;
}
