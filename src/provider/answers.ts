import { isObject } from "../oci/descriptor.ts";

/** The objects of a list that came as JSON; what is none is left out, and what is no list is an empty one. */
export function objectsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((item) => isObject(item)) : [];
}

/** A text that may be shown: without control characters, at most 500 characters; nothing for what is no text, or empty. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  return value.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 500) || undefined;
}

/** A count or a size in bytes; nothing for what is none. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A moment in RFC 3339, in UTC; nothing for what is none. */
export function momentOf(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})$/.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
