import { alternativesOf } from "../../lifecycle/regex.ts";
import { parsePattern } from "../../pattern.ts";

const posixClasses: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  digit: "0-9",
  lower: "a-z",
  punct: "!-/:-@[-`{-~",
  space: "\\s",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

/**
 * A regular expression of Go that is looked for anywhere in a name, as one that fits the whole name: what stands between the
 * slashes of a pattern. Undefined where it cannot be said.
 */
export function wholeRegex(go: string): string | undefined {
  const [, flags = "", rest = ""] = /^(?:\(\?([a-zA-Z]+)\))?([\s\S]*)$/.exec(go) ?? [];
  if (/[^ims]/.test(flags) || /(?<!\\)(?:\\\\)*\\[pPQEC]/.test(rest)) return undefined;
  const plain = rest.replace(/\[:(\w+):\]/g, (all, name: string) => posixClasses[name] ?? all);
  if (plain.includes("[:")) return undefined;
  const whole = alternativesOf(plain)
    .map((one) => anchored(one))
    .join("|");
  const text = flags.includes("i") ? `(?i)${whole}` : whole;
  try {
    parsePattern(`/${text}/`);
    return text;
  } catch {
    return undefined;
  }
}

/** An alternative with `.*` wherever it is not anchored. */
function anchored(alternative: string): string {
  const begins = /^(?:\^|\\A)+/.exec(alternative)?.[0] ?? "";
  const ends = /(?<!\\)(?:\\\\)*((?:\$|\\z)+)$/.exec(alternative)?.[1] ?? "";
  const body = alternative.slice(begins.length, alternative.length - ends.length);
  if (body === "" && (begins === "" || ends === "")) return ".*";
  const before = begins === "" && !body.startsWith(".*") ? ".*" : "";
  const after = ends === "" && !/(?<!\\)\.\*$/.test(body) ? ".*" : "";
  return `${before}${body}${after}`;
}

/** Both of two expressions on a whole name, as one. */
export const bothRegexes = (one: string, other: string): string => `(?=(?:${one})$)(?:${other})`;

/** A whole name's expression as a glob, where it has nothing in it but letters and `.*`, which may have slashes in it. */
export function globOfRegex(regex: string): string | undefined {
  const tokens = [...regex.matchAll(/\.\*|\\[.\-/]|[\w\-/:]|[\s\S]/g)].map(([token]) => token);
  const parts = tokens.map((token) => {
    if (token === ".*") return "**";
    if (token.startsWith("\\") && token.length === 2) return token.slice(1);
    return /^[\w\-/:]$/.test(token) ? token : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join("");
}

/** The repositories of a registry whose names an expression fits, as a mapping's source: a name, a glob or the expression. */
export function repositoriesLike(registry: string, regex: string): string {
  return `${registry}/${globOfRegex(regex) ?? `/${regex}/`}`;
}
