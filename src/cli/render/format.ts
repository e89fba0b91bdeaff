import { RegistryError } from "../../index.ts";
import { parseTemplate, type Template } from "./template.ts";

const names = ["table", "json", "ndjson", "yaml"] as const;

/** How a result is written: for people, for programs, or by the user's own template. */
export type Format = (typeof names)[number] | Template;

/** How a plan is written: also as a tree, and for a pull request. */
export type PlanFormat = Format | "tree" | "markdown";

/** Reads the value of `--format` of a command that makes plans; throws INVALID. */
export function parsePlanFormat(text: string): PlanFormat {
  return text === "tree" || text === "markdown" ? text : parseFormat(text, ["tree", "markdown"]);
}

/** Reads the value of `--format`; throws INVALID. */
export function parseFormat(text: string, also: readonly string[] = []): Format {
  if (text.includes("{{")) return parseTemplate(text);
  const name = names.find((name) => name === text);
  if (name) return name;
  const local = ["oci", "oci-archive", "docker-archive", "dir", "tarball"].includes(text);
  throw new RegistryError("INVALID", `unknown format ${JSON.stringify(text)}`, {
    hint: local
      ? `the format of files is chosen with --as ${text}`
      : `write ${[...names, ...also].join(", ")} or a template such as '{{.FIELD}}'`,
  });
}
