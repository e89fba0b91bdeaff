/** What a template can name: `.Sync.Source`, `.Ref.Tag`. */
export type TemplateData = Readonly<Record<string, string>>;

type Value = string | number | readonly string[];

/**
 * Fills in a Go template as regsync does: fields, `split`, `index`, `lower`, `upper`, `join`, `default` and pipes. Undefined
 * where there is anything else in it, such as what is read from files or the environment.
 */
export function fillTemplate(template: string, data: TemplateData): string | undefined {
  let failed = false;
  const filled = template.replace(
    /(\s*)\{\{(-?)\s*([\s\S]*?)\s*(-?)\}\}/g,
    (_, space: string, trim: string, action: string) => {
      const value = evaluate(action, data);
      if (value === undefined || typeof value === "object") failed = true;
      return `${trim === "-" ? "" : space}${String(value)}`;
    },
  );
  return failed || filled.includes("{{") ? undefined : filled;
}

function evaluate(action: string, data: TemplateData): Value | undefined {
  const tokens = [...action.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|[()|]|[^\s()|]+/g)].map(([token]) => token);
  let at = 0;

  function pipeline(): Value | undefined {
    let value = command();
    while (value !== undefined && tokens[at] === "|") {
      at++;
      value = command(value);
    }
    return value;
  }

  function command(last?: Value): Value | undefined {
    const [first] = [tokens[at]];
    if (first === undefined) return undefined;
    const name = /^[a-z]\w*$/i.test(first) ? first : undefined;
    if (name !== undefined) at++;
    const values: (Value | undefined)[] = [];
    while (at < tokens.length && tokens[at] !== "|" && tokens[at] !== ")") values.push(operand());
    if (last !== undefined) values.push(last);
    if (values.includes(undefined)) return undefined;
    return name === undefined ? (values.length === 1 ? values[0] : undefined) : call(name, values as Value[]);
  }

  function operand(): Value | undefined {
    const token = tokens[at++]!;
    if (token === "(") {
      const value = pipeline();
      return tokens[at++] === ")" ? value : undefined;
    }
    if (token.startsWith('"')) return unquoted(token);
    if (token.startsWith("`")) return token.slice(1, -1);
    if (/^\d+$/.test(token)) return Number(token);
    return Object.hasOwn(data, token) ? data[token] : undefined;
  }

  const value = pipeline();
  return at === tokens.length ? value : undefined;
}

function unquoted(token: string): string | undefined {
  try {
    return String(JSON.parse(token));
  } catch {
    return undefined;
  }
}

function call(name: string, values: readonly Value[]): Value | undefined {
  const [first, second] = values;
  const isText = (value: Value | undefined): value is string => typeof value === "string";
  if (name === "index" && typeof first === "object" && typeof second === "number") return first[second];
  if (name === "split" && isText(first) && isText(second)) return first.split(second);
  if (name === "join" && typeof first === "object" && isText(second)) return first.join(second);
  if (name === "default" && values.length === 2) return second === "" ? first : second;
  if (values.length !== 1 || !isText(first)) return undefined;
  return name === "lower" ? first.toLowerCase() : name === "upper" ? first.toUpperCase() : undefined;
}
