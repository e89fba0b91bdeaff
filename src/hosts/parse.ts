import type { parse as parseToml } from "smol-toml";
import { RegistryError } from "../oci/error.ts";
import { fileTable, type Table } from "./table.ts";

/** Reads JSON; throws INVALID with file, line and column, and never quotes the text, which may hold secrets. */
export function parseJsonFile(text: string, file: string): Table {
  return fileTable(parsedJson(text, file), file);
}

function parsedJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const before = text.slice(0, position === undefined ? text.length : Number(position)).split("\n");
    throw broken(file, "JSON", before.length, before.at(-1)!.length + 1);
  }
}

/** Reads TOML; throws INVALID with file, line and column. The parser is loaded here: most machines have no such file. */
export function parseTomlFile(text: string, file: string): Table {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { parse } = createRequire(import.meta.url)("smol-toml") as { readonly parse: typeof parseToml };
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    const { line, column, message } = error as Error & { readonly line?: number; readonly column?: number };
    const why = /^Invalid TOML document: (.+)/.exec(message)?.[1];
    throw broken(file, "TOML", line ?? 1, column ?? 1, why);
  }
  return fileTable(value, file);
}

function broken(file: string, format: string, line: number, column: number, why?: string): RegistryError {
  const reason = why === undefined ? "" : `: ${why}`;
  return new RegistryError("INVALID", `${file} is not valid ${format}: line ${line}, column ${column}${reason}`);
}
