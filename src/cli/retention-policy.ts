import { guessDialect, RegistryError } from "../index.ts";
import { fromGcloud, parseRetention, requireRead, type DialectPolicy, type RetentionPolicy } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import { readDocument } from "./documents.ts";
import { from } from "./table/lifecycle-options.ts";

/**
 * Reads a retention policy, Gantry's own or, by --from or its keys, one of a service's form. Throws INVALID for what is
 * neither, and with the place of all that is wrong.
 */
export async function readRetention(path: string, { get, stdin }: Cli): Promise<RetentionPolicy | DialectPolicy> {
  const document = fromGcloud(await readDocument(path, stdin));
  const { value } = document;
  const isOwn = typeof value === "object" && value !== null && "version" in value;
  const dialect = get(from) ?? (isOwn ? undefined : guessDialect(value));
  if (dialect !== undefined) {
    requireRead(dialect, document);
    return { dialect, document: value };
  }
  if (isOwn) return parseRetention(document);
  throw new RegistryError("INVALID", `${document.name} is no policy that is known`, {
    hint: "one of Gantry's own begins with `version: 1`; of one of a service's form, say which: --from ecr",
  });
}
