/** One challenge of a WWW-Authenticate header (RFC 9110, 11.3). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case; of a repeated one, the first. */
  readonly params: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68 = /[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y;
const assignment = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\[^])*)(?:"|\\?$)/y;
const bare = /[^\s,]*/y;
const separator = /[ \t,]+/y;

/** Reads a WWW-Authenticate header, where one may hold several challenges; what is malformed is passed over, never thrown at. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const text = header ?? "";
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  let position = 0;
  const take = (form: RegExp): RegExpExecArray | undefined => {
    form.lastIndex = position;
    const match = form.exec(text);
    if (!match || match[0] === "") return undefined;
    position += match[0].length;
    return match;
  };
  while (position < text.length) {
    if (take(separator)) continue;
    const name = take(token)?.[0].toLowerCase();
    if (name === undefined) {
      position++;
      continue;
    }
    if (take(assignment)) {
      const value = take(quoted)?.[1]?.replace(/\\([^])/g, "$1") ?? take(bare)?.[0] ?? "";
      const params = challenges.at(-1)?.params;
      if (params && !params.has(name)) params.set(name, value);
      continue;
    }
    challenges.push({ scheme: name, params: new Map() });
    if (/[ \t]/.test(text[position] ?? "")) {
      take(separator);
      take(token68);
    }
  }
  return challenges;
}
