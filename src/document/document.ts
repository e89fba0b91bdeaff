import { safeParse, type BaseIssue, type GenericSchema } from "valibot";
import { RegistryError } from "../oci/error.ts";
import { formatPath, type Fault } from "./fault.ts";

/** A document that was read, with the way from a path in it to the place in its text. */
export interface Document {
  /** What it is called in messages: a file's name, `stdin`. */
  readonly name: string;
  readonly value: unknown;
  /** `12:5`: line and column; undefined where the document has no text. */
  readonly place?: (path: readonly (string | number)[]) => string | undefined;
}

/** The most faults that one error names. */
const most = 10;

/**
 * Holds a document to a schema. Throws INVALID with each fault: its place, its path and what is wanted there; a key that is
 * not known is named with the one that was probably meant.
 */
export function checked<T>(schema: GenericSchema<unknown, T>, document: Document): T {
  const result = safeParse(schema, document.value);
  if (result.success) return result.output;
  throw faultyDocument(
    document,
    result.issues.flatMap((issue) => innermost(issue)),
  );
}

/** The error for a document in which something is wrong. */
export function faultyDocument({ name, place }: Document, faults: readonly Fault[]): RegistryError {
  const lines = faults.slice(0, most).map(({ path, message }) => {
    const at = place?.(path);
    const where = formatPath(path);
    return `${name}${at === undefined ? "" : `:${at}`}: ${where === "" ? "" : `${where}: `}${message}`;
  });
  const more = faults.length > most ? [`and ${faults.length - most} more`] : [];
  return new RegistryError("INVALID", [...lines, ...more].join("; "));
}

/** Of a union's issue, those of the alternative that fits best; else the issue itself. */
function innermost(issue: BaseIssue<unknown>): readonly Fault[] {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
  if (issue.issues && issue.issues.length > 0) {
    const deepest = Math.max(...issue.issues.map((one) => one.path?.length ?? 0));
    if (deepest > 0) {
      const best = issue.issues.filter((one) => (one.path?.length ?? 0) === deepest);
      return best.flatMap((one) => innermost(one)).map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
    }
  }
  return [{ path, message: messageOf(issue) }];
}

function messageOf({ type, kind, expected, received, message, path, input }: BaseIssue<unknown>): string {
  if (type === "strict_object" && expected === "never") return `${JSON.stringify(path?.at(-1)?.key)} is not known here`;
  // An object without a key expects that key, in quotes, which the path has said.
  const isTold = expected && kind === "schema" && !type.endsWith("object");
  if (received === "undefined") return `is missing${isTold ? `: it has to be ${inWords(expected)}` : ""}`;
  // Valibot's own words repeat the value, which may be a secret, or a whole file.
  if (kind !== "schema" || expected === null || !message.startsWith("Invalid type: ")) return message;
  if (path === undefined && (input === undefined || input === null)) return "is empty";
  const wanted = inWords(expected);
  return isWord(expected) ? `has to be ${wanted}, and is ${kindOf(input)}` : `has to be ${wanted}`;
}

const words: Readonly<Record<string, string>> = {
  Array: "a list",
  Object: "an object",
  boolean: "true or false",
  number: "a number",
  string: "a text",
};

/** What Valibot expects, as it writes it: `string`, `"a"`, `(true | Array)`. */
const alternatives = (expected: string): readonly string[] => expected.replace(/^\((.*)\)$/s, "$1").split(" | ");

const isWord = (expected: string): boolean => alternatives(expected).some((one) => one in words);

function inWords(expected: string): string {
  const all = alternatives(expected).map((one) => words[one] ?? one);
  return all.join(", ").replace(/, ([^,]*)$/, " or $1");
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (typeof value === "boolean") return String(value);
  return (
    words[Array.isArray(value) ? "Array" : typeof value === "object" ? "Object" : typeof value] ?? "something else"
  );
}
