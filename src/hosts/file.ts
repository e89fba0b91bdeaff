import { readdirSync, readFileSync } from "node:fs";
import { RegistryError } from "../oci/error.ts";

/** Whose a file is: `foreign` ones belong to a daemon, and what it keeps from us counts as not there. */
export type Whose = "ours" | "foreign";

/** A file's text; undefined where there is none. Throws INVALID where it cannot be read. */
export function findText(path: string, whose: Whose = "ours"): string | undefined {
  return find(path, whose, () => readFileSync(path, "utf8").replace(/^\uFEFF/, ""));
}

/** The text of a file that has to be there; `named` says by whom. Throws INVALID. */
export function readText(path: string, named?: string): string {
  const text = findText(path);
  if (text !== undefined) return text;
  throw new RegistryError("INVALID", `${path} is not there${named === undefined ? "" : `: ${named} names it`}`);
}

/** The names in a directory, in byte order; undefined where there is none. Throws INVALID where it cannot be read. */
export function findNames(path: string, whose: Whose = "ours"): readonly string[] | undefined {
  return find(path, whose, () => readdirSync(path).sort());
}

function find<T>(path: string, whose: Whose, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (whose === "foreign" && (code === "EACCES" || code === "EPERM")) return undefined;
    throw new RegistryError("INVALID", `${path} cannot be read: ${reasons[code ?? ""] ?? code}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ELOOP: "its symbolic links lead in a circle",
  EPERM: "permission denied",
};
