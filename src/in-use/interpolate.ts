type Values = Readonly<Record<string, string | undefined>>;

/**
 * Puts variables into a text as Compose does: `$NAME`, `${NAME}`, and with `:-`, `-`, `:?`, `?`, `:+`, `+` and a word, in which
 * variables may stand too; `$$` is a dollar sign. Throws a text that says what is wrong: a variable that nobody sets, most of all.
 * (Compose specification, 12: interpolation.)
 */
export function interpolate(text: string, values: Values): string {
  let at = 0;
  const result = read(false);
  return result;

  function read(inBraces: boolean): string {
    let out = "";
    while (at < text.length) {
      const char = text[at]!;
      if (inBraces && char === "}") return out;
      at++;
      if (char !== "$") out += char;
      else if (text[at] === "$") {
        out += "$";
        at++;
      } else if (text[at] === "{") {
        at++;
        out += braced();
      } else out += wanted(name());
    }
    if (inBraces) throw new TypeError(`\${ without } in ${JSON.stringify(text)}`);
    return out;
  }

  function name(): string {
    const [found] = /^[A-Za-z_]\w*/.exec(text.slice(at)) ?? [];
    if (found === undefined) throw new TypeError(`$ without a variable in ${JSON.stringify(text)}`);
    at += found.length;
    return found;
  }

  function braced(): string {
    const variable = name();
    const [operator = ""] = /^:?[-?+]/.exec(text.slice(at)) ?? [];
    at += operator.length;
    if (operator === "" && text[at] !== "}") throw new TypeError(`\${${variable} without } in ${JSON.stringify(text)}`);
    const outcome = operator === "" ? undefined : settle(() => read(true));
    skipWord();
    const value = values[variable];
    const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
    if (operator.endsWith("+")) return isSet ? outcome!() : "";
    if (operator.endsWith("-")) return isSet ? value : outcome!();
    if (isSet) return value;
    throw new TypeError(operator === "" ? missing(variable) : `${missing(variable)}: ${outcome!()}`);
  }

  /** Reads a word of which nobody knows yet whether it is wanted: what is wrong in it counts only then. */
  function settle(work: () => string): () => string {
    const start = at;
    try {
      const word = work();
      return () => word;
    } catch (error) {
      at = start;
      return () => {
        throw error as Error;
      };
    }
  }

  /** Goes behind the brace that ends a word. */
  function skipWord(): void {
    for (let depth = 1; depth > 0; at++) {
      if (at >= text.length) throw new TypeError(`\${ without } in ${JSON.stringify(text)}`);
      if (text.startsWith("${", at)) depth++;
      else if (text[at] === "}") depth--;
    }
  }

  function wanted(variable: string): string {
    const value = values[variable];
    if (value === undefined) throw new TypeError(missing(variable));
    return value;
  }
}

const missing = (variable: string): string => `the variable ${variable} is not set`;
