import { isObject } from "../../oci/descriptor.ts";
import { momentOf } from "../answers.ts";

/** A JSON object from Harbor, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** The objects of a list; Go writes an empty one as null. */
export function objects(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The object under a name; an empty one where there is none. */
export function fieldsIn(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isObject(value) ? value : {};
}

/** A text that says something, on one line. */
export function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (typeof value !== "string") return undefined;
  const line = value.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line === "" ? undefined : line;
}

/** A count or a number of bytes. */
export function countIn(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** A moment as RFC 3339 in UTC; Harbor writes the year 1 for never. */
export function momentIn(fields: Fields, name: string): string | undefined {
  const moment = momentOf(fields[name]);
  return moment !== undefined && Date.parse(moment) >= 0 ? moment : undefined;
}

/** An object without the fields that are undefined. */
export function defined<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
