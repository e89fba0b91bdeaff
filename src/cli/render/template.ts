import { RegistryError } from "../../index.ts";

/** Writes a value by a pattern. */
export interface Template {
  (value: unknown): string;
  readonly parts: readonly Part[];
}

/** A piece of a template: text, or a field of the value. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "json"; readonly path: readonly string[] }
  | { readonly kind: "range"; readonly path: readonly string[]; readonly parts: readonly Part[] };

/**
 * Reads a template in the small part of Go's language that Docker's users know: `{{.field.field}}`, `{{json .field}}`,
 * `{{range .list}}...{{end}}` (`{{.}}` is the item), and `\n` and `\t` between them. Throws INVALID.
 */
export function parseTemplate(text: string): Template {
  const pieces = text.split(/(\{\{.*?\}\})/s);
  const [parts, rest] = parseParts(text, pieces, false);
  if (rest.length > 0) throw invalid(text, "{{end}} without {{range}}");
  return Object.assign((value: unknown) => write(parts, value), { parts });
}

function parseParts(text: string, pieces: readonly string[], inRange: boolean): readonly [Part[], readonly string[]] {
  const parts: Part[] = [];
  let rest = pieces;
  while (rest.length > 0) {
    const piece = rest[0]!;
    rest = rest.slice(1);
    const action = /^\{\{-?\s*(.*?)\s*-?\}\}$/s.exec(piece)?.[1];
    if (action === undefined) {
      if (piece.includes("{{") || piece.includes("}}")) throw invalid(text, "{{ and }} do not match");
      if (piece !== "") parts.push({ kind: "text", text: piece.replaceAll("\\n", "\n").replaceAll("\\t", "\t") });
    } else if (action === "end") {
      if (!inRange) throw invalid(text, "{{end}} without {{range}}");
      return [parts, rest];
    } else {
      const [, word, path] = /^(?:(json|range)\s+)?(\.[\w.-]*)$/.exec(action) ?? [];
      if (path === undefined)
        throw invalid(text, `{{${action}}} is none of {{.field}}, {{json .field}}, {{range .field}} and {{end}}`);
      const names = path.split(".").filter(Boolean);
      if (word === "range") {
        const [inner, after] = parseParts(text, rest, true);
        parts.push({ kind: "range", path: names, parts: inner });
        rest = after;
      } else {
        parts.push({ kind: word === "json" ? "json" : "field", path: names });
      }
    }
  }
  if (inRange) throw invalid(text, "{{range}} without {{end}}");
  return [parts, rest];
}

function write(parts: readonly Part[], value: unknown): string {
  return parts.map((part) => writePart(part, value)).join("");
}

function writePart(part: Part, value: unknown): string {
  if (part.kind === "text") return part.text;
  const found = follow(value, part.path);
  if (part.kind === "json") return JSON.stringify(found) ?? "null";
  if (part.kind === "field") return typeof found === "string" ? found : (JSON.stringify(found) ?? "");
  const items = Array.isArray(found) ? found : Object.values(found ?? {});
  return items.map((item) => write(part.parts, item)).join("");
}

/** Goes down by field names; `.Digest` finds `digest` too, as the templates of other tools write it. */
function follow(value: unknown, path: readonly string[]): unknown {
  return path.reduce((at: unknown, name) => {
    if (typeof at !== "object" || at === null) return undefined;
    const key = Object.hasOwn(at, name)
      ? name
      : Object.keys(at).find((key) => key.toLowerCase() === name.toLowerCase());
    return key === undefined ? undefined : (at as Record<string, unknown>)[key];
  }, value);
}

function invalid(text: string, what: string): RegistryError {
  return new RegistryError("INVALID", `invalid template ${JSON.stringify(text)}: ${what}`);
}
