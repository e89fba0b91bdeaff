/** Something wrong in a document, and the path of it: `rules[0].keep.newest`. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A path as people write it: `rules[0].keep`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}
