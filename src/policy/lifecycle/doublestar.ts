/** The patterns without braces that a doublestar pattern stands for: `{a,b}*` for `a*` and `b*`. */
export function expandBraces(pattern: string): readonly string[] {
  const [, head = "", body = "", tail = ""] = /^([^{}]*)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (!/\{[^{}]*\}/.test(pattern)) return [pattern];
  if (head === "" && body === "" && tail === "") return [pattern];
  return body.split(",").flatMap((choice) => expandBraces(`${head}${choice}${tail}`));
}

/** A doublestar pattern as a regular expression: `*` and `?` stop at `/`, `**` does not. */
export function doublestarRegex(pattern: string): string {
  return expandBraces(pattern).map(partRegex).join("|");
}

function partRegex(pattern: string): string {
  return pattern.replace(/\\.|\*\*|[*?]|\[[!^]?[^\]]*\]|[.+^${}()|[\]\\]/g, (token) => {
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("[") && token.length > 2) return token.replace(/^\[!/, "[^");
    return token.startsWith("\\") && token.length === 2 ? token : `\\${token}`;
  });
}
