import { isObject } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";

/**
 * Parses a JSON object that has secrets, whose text must not be quoted as JSON.parse does; a blank text is an empty
 * object. Throws INVALID with the line and column, `at` saying where the text is from.
 */
export function parseSecretJson(text: string, at: string, reviver?: Reviver): Readonly<Record<string, unknown>> {
  if (text.trim() === "") return {};
  const value = parse(text.replace(/^\uFEFF/, ""), at, reviver);
  return isObject(value) ? value : invalidLogin(`${at} is not a JSON object`, "mend it");
}

/** Throws INVALID for what is wrong with a login where it is kept. */
export function invalidLogin(message: string, hint: string = "mend it, or log in again"): never {
  throw new RegistryError("INVALID", message, { hint });
}

/** What JSON.parse calls with each value, and the text that it was. */
type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;

function parse(text: string, at: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const before = text.slice(0, position === undefined ? text.length : Number(position)).split("\n");
    return invalidLogin(
      `${at} is not valid JSON: line ${before.length}, column ${before.at(-1)!.length + 1}`,
      "mend it",
    );
  }
}
