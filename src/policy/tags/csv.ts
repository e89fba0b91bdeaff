import { RegistryError } from "../../oci/error.ts";

/** The fields of one line of comma-separated values (RFC 4180); one that starts with a quote ends with one. Throws INVALID. */
export function csvFields(line: string): readonly string[] {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
    const field = quoted ?? /^([^,"]*)(?=,|$)/.exec(rest);
    if (!field) throw new RegistryError("INVALID", `${JSON.stringify(line)} has a quote where none can be`);
    fields.push(quoted ? field[1]!.replaceAll('""', '"') : field[1]!);
    rest = rest.slice(field[0].length);
    if (rest === "") return fields;
    rest = rest.slice(1);
  }
}
