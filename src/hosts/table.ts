import { isObject } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";

/** One table (object) of a configuration file. A value of another kind than is asked for throws INVALID with file and key. */
export interface Table {
  /** Where it stands, for people: `/etc/docker/daemon.json: proxies`. */
  readonly at: string;
  /** The keys, in the order of the file. */
  readonly keys: readonly string[];
  value(key: string): unknown;
  text(key: string): string | undefined;
  flag(key: string): boolean | undefined;
  texts(key: string): readonly string[] | undefined;
  table(key: string): Table | undefined;
  /** None where the key is not there. */
  tables(key: string): readonly Table[];
  /** Where a key stands, for people. */
  place(key: string): string;
}

/** The table that a whole file is; `read` turns its text into a value. */
export function fileTable(value: unknown, file: string): Table {
  if (!isObject(value)) throw new RegistryError("INVALID", `${file} is not a JSON object`);
  return table(value, file, ": ");
}

function table(values: Readonly<Record<string, unknown>>, at: string, dot: string): Table {
  const place = (key: string): string =>
    /^[\w-]+$/.test(key) ? `${at}${dot}${key}` : `${at}${dot === "." ? "" : dot}[${JSON.stringify(key)}]`;
  const value = (key: string): unknown => (Object.hasOwn(values, key) ? (values[key] ?? undefined) : undefined);
  const as = <T>(key: string, isKind: (found: unknown) => found is T, kind: string): T | undefined => {
    const found = value(key);
    if (found === undefined || isKind(found)) return found;
    throw new RegistryError("INVALID", `${place(key)} is not ${kind}`);
  };
  return {
    at,
    keys: Object.keys(values),
    value,
    place,
    text: (key) => as(key, isText, "a text"),
    flag: (key) => as(key, isFlag, "true or false"),
    texts: (key) => as(key, isTexts, "a list of texts"),
    table(key) {
      const found = as(key, isObject, "a table");
      return found && table(found, place(key), ".");
    },
    tables(key) {
      const found = as(key, isObjects, "a list of tables") ?? [];
      return found.map((one, i) => table(one, `${place(key)}[${i}]`, "."));
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isObjects(value: unknown): value is readonly Record<string, unknown>[] {
  return Array.isArray(value) && value.every(isObject);
}
