/** The patterns without braces that a doublestar pattern stands for: `{a,b}*` for `a*` and `b*`. */
export function expandBraces(pattern: string): readonly string[] {
  const [, head = "", body = "", tail = ""] = /^([^{}]*)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (!/\{[^{}]*\}/.test(pattern)) return [pattern];
  if (head === "" && body === "" && tail === "") return [pattern];
  return body.split(",").flatMap((choice) => expandBraces(`${head}${choice}${tail}`));
}

/**
 * A doublestar pattern (github.com/bmatcuk/doublestar v4) as a regular expression: `*` and `?` stop at `/`; `**` is any
 * number of whole parts of a path, also none, and inside of a part no more than `*`.
 */
export function doublestarRegex(pattern: string): string {
  return expandBraces(pattern).map(partRegex).join("|");
}

function partRegex(pattern: string): string {
  const tokens = /\\.|(?:^|\/)\*\*(?:\/\*\*)*(?=\/|$)\/?|\*+|\?|\[[!^]?[^\]]*\]|[.+^${}()|[\]\\]/g;
  return pattern.replace(tokens, (token, offset: number) => {
    if (/^\/?\*\*(?:\/|$)/.test(token) && (token !== "**" || pattern === "**")) {
      const isEnd = offset + token.length === pattern.length && !token.endsWith("/");
      if (isEnd) return token.startsWith("/") ? "(?:/.*)?" : ".*";
      return token.startsWith("/") ? "/(?:.*/)?" : "(?:.*/)?";
    }
    if (token.startsWith("*")) return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("[") && token.length > 2) return token.replace(/^\[!/, "[^");
    return token.startsWith("\\") && token.length === 2 ? token : `\\${token}`;
  });
}
