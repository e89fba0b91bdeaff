import * as v from "valibot";
import { checked, type Document } from "../../document/document.ts";
import { parseFlavor, type Flavor } from "./flavor.ts";
import { parseTagRule, ruleLines, type TagRule } from "./rule.ts";

/** Rules for tags, and what holds for all of them. */
export interface RulesFile {
  readonly rules: readonly TagRule[];
  readonly flavor: Flavor;
}

const lines = v.union([v.string(), v.array(v.string())]);
const schema: v.GenericSchema<
  unknown,
  { readonly tags?: string | readonly string[]; readonly flavor?: string | readonly string[] }
> = v.strictObject({ tags: v.exactOptional(lines), flavor: v.exactOptional(lines) });

/** Reads `tags` and `flavor` as they stand in a workflow with docker/metadata-action: lines, or lists of lines. Throws INVALID. */
export function parseRulesFile(document: Document): RulesFile {
  const { tags, flavor } = checked(schema, document);
  return { rules: linesOf(tags).map(parseTagRule), flavor: parseFlavor(linesOf(flavor)) };
}

const linesOf = (value: string | readonly string[] = []): readonly string[] => [value].flat().flatMap(ruleLines);
