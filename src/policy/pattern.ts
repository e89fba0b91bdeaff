import { Range } from "semver";
import { RegistryError } from "../oci/error.ts";
import { notGlob, readRegex } from "./lifecycle/regex.ts";
import { bareVersionOf } from "./version.ts";

/**
 * What a tag, or a repository's name, has to be like, as a whole: a glob (`v*`, `?`, `{a,b}`, `[0-9]`; in names `*` stops at
 * `/` and `**` does not), a regular expression (`/^v\d+$/`), or a range of versions, with a `v` or without (`semver:>=1.2 <2`,
 * which takes pre-releases only where the range names one).
 */
export interface Pattern {
  /** As it was written. */
  readonly text: string;
  fits(name: string): boolean;
}

/** Reads a pattern. Throws INVALID with what is wrong in it. */
export function parsePattern(text: string): Pattern {
  if (text.startsWith("semver:")) return versionPattern(text);
  const [, flags = "", regex] = /^\/(\(\?[ims]+\))?(.+)\/$/s.exec(text) ?? [];
  const expression =
    regex === undefined
      ? readRegex(`^(?:${globRegex(text)})$`, text, notGlob)
      : readRegex(`${flags}^(?:${regex})$`, text);
  return { text, fits: (name) => expression.test(name) };
}

/** Whether a name is like one of the patterns. */
export function fitsOne(patterns: readonly Pattern[], name: string): boolean {
  for (const pattern of patterns) if (pattern.fits(name)) return true;
  return false;
}

function versionPattern(text: string): Pattern {
  let range: Range;
  try {
    range = new Range(text.slice("semver:".length), { loose: true });
  } catch (cause) {
    throw new RegistryError("INVALID", `${JSON.stringify(text)} is no range of versions`, { cause });
  }
  return {
    text,
    fits(name) {
      const version = bareVersionOf(name);
      return version !== undefined && range.test(version.semver);
    },
  };
}

/** A glob as a regular expression, without its ends. */
export function globRegex(glob: string): string {
  return glob.replace(/\\.|\*\*|[*?]|\[[!^]?[^\]]+\]|[{},]|[.+^$()|[\]\\]/g, (token, offset: number) => {
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("[") && token.length > 2) return token.replace(/^\[!/, "[^");
    if (token === "{") return "(?:";
    if (token === "}") return ")";
    if (token === ",") return isInBraces(glob, offset) ? "|" : ",";
    return token.startsWith("\\") && token.length === 2 ? token : `\\${token}`;
  });
}

function isInBraces(glob: string, offset: number): boolean {
  const before = glob.slice(0, offset);
  return before.split("{").length > before.split("}").length;
}
