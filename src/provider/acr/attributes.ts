import { isObject } from "../../oci/descriptor.ts";
import type { Immutability } from "../service.ts";

/** What a repository, manifest or tag allows; what the registry does not say is allowed. */
export interface Attributes {
  readonly delete: boolean;
  readonly write: boolean;
  readonly list: boolean;
  readonly read: boolean;
}

export function attributesOf(entry: Readonly<Record<string, unknown>>): Attributes {
  const given = isObject(entry["changeableAttributes"]) ? entry["changeableAttributes"] : {};
  const allows = (name: string): boolean => given[`${name}Enabled`] !== false;
  return { delete: allows("delete"), write: allows("write"), list: allows("list"), read: allows("read") };
}

/** What keeps a repository from being used as usual, in one line. */
export function stateOf({ delete: deletes, write, list, read }: Attributes): string | undefined {
  const lacks = [
    ...(read ? [] : ["pulls are off"]),
    ...(write ? [] : ["locked"]),
    ...(deletes ? [] : ["deleting is off"]),
    ...(list ? [] : ["listing is off"]),
  ];
  return lacks.length > 0 ? lacks.join(", ") : undefined;
}

export function immutabilityOf({ write }: Attributes): Immutability {
  return { tags: write ? "mutable" : "immutable" };
}

/** A moment as the service writes it (RFC 3339 in UTC); undefined for what is none. */
export function momentOf(value: unknown): string | undefined {
  const isMoment = typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value);
  return isMoment && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

/** A number of things or bytes; undefined for what is none. */
export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** The objects of a list in an answer; none where there is no such list. */
export function entriesOf(body: unknown, field: string): readonly Record<string, unknown>[] {
  const list: unknown = isObject(body) ? body[field] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}
