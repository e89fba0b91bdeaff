import { alternativesOf, readRegex } from "./regex.ts";

/** What a tag has to be like, as a whole: `*` in a glob stands for anything, and nothing else is special in it. */
export interface TagPattern {
  readonly kind: "glob" | "regex";
  readonly text: string;
  /** Fits what the text does not. */
  readonly negated?: true;
}

export const glob = (text: string): TagPattern => ({ kind: "glob", text });
export const regex = (text: string): TagPattern => ({ kind: "regex", text });

const known = new WeakMap<TagPattern, (tag: string) => boolean>();

/** What tells whether a tag is like a pattern; made once for each. */
export function fitter(pattern: TagPattern): (tag: string) => boolean {
  let fits = known.get(pattern);
  if (!fits) {
    const [expression, wanted] = [readRegex(`^(?:${regexOf(pattern)})$`, pattern.text), pattern.negated !== true];
    fits = (tag) => expression.test(tag) === wanted;
    known.set(pattern, fits);
  }
  return fits;
}

/** Whether a tag is like a pattern. */
export const fitsTag = (pattern: TagPattern, tag: string): boolean => fitter(pattern)(tag);

/** A pattern's text as a regular expression that the whole tag has to fit; whether it is negated does not count. */
function regexOf({ kind, text }: TagPattern): string {
  return kind === "regex" ? text : text.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/\*+/g, ".*");
}

/** Patterns as one regular expression, of which one has to fit. */
export function unionOf(patterns: readonly TagPattern[]): string {
  const texts = patterns.map(regexOf);
  return texts.length === 1
    ? texts[0]!
    : texts.map((text) => (alternativesOf(text).length > 1 ? `(?:${text})` : text)).join("|");
}

/** A pattern's text as globs of which one has to fit, where globs can say the same. */
export function globsOf({ kind, text }: TagPattern): readonly string[] | undefined {
  return kind === "glob" ? [text.replace(/\*+/g, "*")] : globsOfRegex(text);
}

function globsOfRegex(text: string): readonly string[] | undefined {
  const alternatives = alternativesOf(text);
  if (alternatives.length > 1) {
    const each = alternatives.map(globsOfRegex);
    return each.every((one) => one !== undefined) ? each.flat() : undefined;
  }
  const bare = text.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  const inner = /^\((?:\?:)?((?:[^()\\]|\\.)*)\)$/.exec(bare)?.[1];
  if (inner !== undefined) return globsOfRegex(inner);
  if (!/^(?:[\w-]|\\[.\-_]|\.\*)*$/.test(bare)) return undefined;
  return [bare.replaceAll(".*", "*").replace(/\\(.)/g, "$1").replace(/\*+/g, "*")];
}
