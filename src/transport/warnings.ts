/** The longest warning that is passed on, in characters. */
const longest = 1000;

/** The texts of a Warning header with code 299 and agent `-` (distribution-spec, "Warnings"), fit for a terminal. */
export function warnings(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  return [...header.matchAll(/299 - "((?:[^"\\]|\\.){0,4096})"/g)]
    .map((match) =>
      match[1]!
        .replace(/\\(.)/g, "$1")
        .replace(/\p{Cc}/gu, " ")
        .slice(0, longest)
        .trim(),
    )
    .filter((text) => text !== "");
}
