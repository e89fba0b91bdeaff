import { isObject } from "../../../oci/descriptor.ts";
import { expandBraces } from "../doublestar.ts";
import { templates, type Template } from "./templates.ts";

/** A retention policy of a Harbor project, as far as it is read here. */
export interface HarborDocument {
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

export interface Selector {
  readonly kind: "doublestar";
  readonly decoration: string;
  /** As github.com/bmatcuk/doublestar has them. */
  readonly pattern: string;
  readonly extras?: string;
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
