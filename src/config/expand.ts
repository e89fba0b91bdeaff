type Environment = Readonly<Record<string, string | undefined>>;

/** A text with its variables put in, or what is wrong with it. */
export type Expanded = { readonly text: string } | { readonly wrong: string };

/** Puts variables in place of `${NAME}`, and a dollar in place of `$$`; what is not set is wrong. */
export function expand(text: string, env: Environment): Expanded {
  let wrong: string | undefined;
  const expanded = text.replace(/\$(?:\$|\{([^}]*)(\}?))/g, (whole, name: string | undefined, closed?: string) => {
    if (name === undefined) return "$";
    if (!closed || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      wrong ??= "after ${ comes a variable's name and }; a dollar is $$";
    else if (env[name] === undefined) wrong ??= `the variable ${name} is not set`;
    else return env[name];
    return whole;
  });
  return wrong === undefined ? { text: expanded } : { wrong };
}

/** Whether a text has something that `expand` puts in. */
export function hasVariable(text: string): boolean {
  return text.replaceAll("$$", "").includes("${");
}
