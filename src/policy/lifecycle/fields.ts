import { isObject } from "../../oci/descriptor.ts";
import type { DocumentFault } from "./fault.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Reads the values of a document and notes what is wrong with them; what is wrong reads as undefined. */
export interface FieldReader {
  readonly faults: readonly DocumentFault[];
  readonly fault: (at: string, message: string) => undefined;
  /** An object that has no keys but these. */
  readonly object: (value: unknown, at: string, keys?: readonly string[]) => Fields | undefined;
  readonly list: (value: unknown, at: string) => readonly unknown[] | undefined;
  readonly texts: (value: unknown, at: string) => readonly string[] | undefined;
  readonly text: (value: unknown, at: string) => string | undefined;
  readonly flag: (value: unknown, at: string) => boolean | undefined;
  readonly integer: (value: unknown, at: string, least: number, most?: number) => number | undefined;
  readonly choice: <T extends string | number>(value: unknown, at: string, of: readonly T[]) => T | undefined;
}

export function fieldReader(): FieldReader {
  const faults: DocumentFault[] = [];
  const fault = (at: string, message: string): undefined => void faults.push({ at, message });
  const wrong = (value: unknown, at: string, wanted: string): undefined =>
    fault(at, value === undefined ? `is missing: it has to be ${wanted}` : `has to be ${wanted}`);
  const list: FieldReader["list"] = (value, at) => (Array.isArray(value) ? value : wrong(value, at, "a list"));
  const text: FieldReader["text"] = (value, at) => (typeof value === "string" ? value : wrong(value, at, "a text"));
  return {
    faults,
    fault,
    list,
    text,
    object(value, at, keys) {
      if (!isObject(value)) return wrong(value, at, "an object");
      for (const key of Object.keys(value)) {
        if (keys && !keys.includes(key)) fault(join(at, key), `is not known; there is ${keys.join(", ")}`);
      }
      return value;
    },
    texts(value, at) {
      const items = list(value, at);
      if (!items) return undefined;
      const found = items.map((item, i) => text(item, `${at}[${i}]`));
      return found.every((item) => item !== undefined) ? found : undefined;
    },
    flag: (value, at) => (typeof value === "boolean" ? value : wrong(value, at, "true or false")),
    integer(value, at, least, most = Number.MAX_SAFE_INTEGER) {
      const fits = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
      const limits = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
      return fits ? value : wrong(value, at, `a whole number, ${limits}`);
    },
    choice: (value, at, of) => of.find((one) => one === value) ?? wrong(value, at, of.join(" or ")),
  };
}

/** The place of a key in a document. */
export function join(at: string, key: string): string {
  const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  return at === "" ? name : `${at}.${name}`;
}
