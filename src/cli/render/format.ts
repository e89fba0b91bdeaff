import { RegistryError } from "../../index.ts";
import { parseTemplate, type Template } from "./template.ts";

const names = ["table", "json", "ndjson", "yaml"] as const;

/** How a result is written: for people, for programs, or by the user's own template. */
export type Format = (typeof names)[number] | Template;

/** Reads the value of `--format`; throws INVALID. */
export function parseFormat(text: string): Format {
  if (text.includes("{{")) return parseTemplate(text);
  const name = names.find((name) => name === text);
  if (name) return name;
  const local = ["oci", "oci-archive", "docker-archive", "dir", "tarball"].includes(text);
  throw new RegistryError("INVALID", `unknown format ${JSON.stringify(text)}`, {
    hint: local
      ? `the format of files is chosen with --as ${text}`
      : `write ${names.join(", ")} or a template such as '{{.digest}}'`,
  });
}
