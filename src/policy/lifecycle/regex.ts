import { RegistryError } from "../../oci/error.ts";

/** What is wrong with a regular expression that RE2 is to read, as far as that can be told here. */
export function re2Fault(text: string): string | undefined {
  if (/\(\?(?:[=!]|<[=!])/.test(text)) return "looks ahead or behind, which RE2 cannot";
  if (/(?<!\\)(?:\\\\)*\\[1-9]/.test(text)) return "refers back to a group, which RE2 cannot";
  return regexFault(text);
}

/** What is wrong with a regular expression. */
export function regexFault(text: string): string | undefined {
  try {
    compile(text);
    return undefined;
  } catch {
    return notRegex;
  }
}

const notRegex = "is not a regular expression";
/** What is wrong with a glob, which brackets and braces alone can make wrong. */
export const notGlob = "is not a glob: its brackets or braces are not right";

function invalid(text: string, fault: string): RegistryError {
  return new RegistryError("INVALID", `the pattern ${JSON.stringify(text)} ${fault}`);
}

/**
 * Compiles a regular expression. Throws INVALID for one that is none, or that could take for ever on a tag, naming what was
 * `written`: perhaps a glob, or the same without its ends.
 */
export function readRegex(text: string, written = text, fault = notRegex): RegExp {
  if (mayTakeForEver(text)) throw invalid(written, "repeats what repeats already, and could take for ever");
  try {
    return compile(text);
  } catch {
    throw invalid(written, fault);
  }
}

/** The parts of a regular expression between the `|` that stand in no group. */
export function alternativesOf(text: string): readonly string[] {
  const parts = [""];
  let [depth, inClass] = [0, false];
  for (const [token] of text.matchAll(/\\.|[\s\S]/g)) {
    if (inClass) inClass = token !== "]";
    else if (token === "[") inClass = true;
    else if (token === "(") depth++;
    else if (token === ")") depth--;
    else if (token === "|" && depth === 0) {
      parts.push("");
      continue;
    }
    parts[parts.length - 1] += token;
  }
  return parts;
}

/** A regular expression that a whole text fits where this one is found somewhere in it. */
export function anywhere(text: string): string {
  if (alternativesOf(text).length > 1) return `.*(?:${text}).*`;
  const [start, end] = [text.startsWith("^"), /(?<!\\)(?:\\\\)*\$$/.test(text)];
  return `${start ? "" : ".*"}${text.slice(start ? 1 : 0, end ? -1 : undefined)}${end ? "" : ".*"}`;
}

/** Understands what RE2 writes in its own way: `(?P<name>...)`, `\A`, `\z`, and flags at the start. */
function compile(text: string): RegExp {
  const [, flags = "", rest = ""] = /^\(\?([ims]+)\)([\s\S]*)$/.exec(text) ?? [undefined, "", text];
  return new RegExp(
    rest.replaceAll("(?P<", "(?<").replace(/\\([\s\S])/g, (all, c) => (c === "A" ? "^" : c === "z" ? "$" : all)),
    [...new Set(flags)].join(""),
  );
}

/** Whether a group that repeats has something in it that repeats, or alternatives: what makes matching explode. */
function mayTakeForEver(text: string): boolean {
  const groups: { repeats: boolean }[] = [];
  const tokens = [...text.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|[*+]|\{\d*,\d*\}|[()|]|[\s\S]/g)].map(([token]) => token);
  return tokens.some((token, i) => {
    const repeated = /^(?:[*+]|\{\d*,\d*\})$/;
    if (token === "(") groups.push({ repeats: false });
    else if (token === ")") {
      const { repeats } = groups.pop() ?? { repeats: false };
      const outer = groups.at(-1);
      if (outer) outer.repeats ||= repeats;
      return repeats && repeated.test(tokens[i + 1] ?? "");
    } else if (token === "|" || repeated.test(token)) {
      const group = groups.at(-1);
      if (group) group.repeats = true;
    }
    return false;
  });
}
