import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import {
  convertLifecycle,
  guessDialect,
  RegistryError,
  requireDocument,
  type FormattedLifecycle,
  type LifecycleDialect,
  type LifecycleForm,
} from "../index.ts";
import type { Document } from "../plan/index.ts";
import type { Cli } from "./cli.ts";
import { plain } from "./render/text.ts";
import { fromForm, simpleImages } from "./table/lifecycle-options.ts";

/** No policy of any service is as long. */
const longestPolicy = 1 << 20;

/** Reads JSON or YAML from a file, or from stdin for `-`. Throws INVALID with the place of what is neither. */
export async function readDocument(path: string, stdin: Readable): Promise<Document> {
  const { parseYaml } = await import("../plan/index.ts");
  return parseYaml(await readText(path, nameOf(path), stdin, longestPolicy), nameOf(path));
}

/** The same for what a program wrote, which may be long: so many bytes. */
export async function readLongDocument(path: string, stdin: Readable, most: number): Promise<Document> {
  const { parseJson } = await import("../plan/index.ts");
  return parseJson(await readText(path, nameOf(path), stdin, most), nameOf(path));
}

const nameOf = (path: string): string => (path === "-" ? "stdin" : path);

/** Reads a text of at most so many bytes from a file, or from stdin for `-`. Throws INVALID where it is longer. */
export async function readText(path: string, name: string, stdin: Readable, most = longestPolicy): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  const file = path === "-" ? undefined : await open(path);
  try {
    for await (const piece of file ? file.createReadStream() : stdin) {
      pieces.push(piece as Buffer);
      size += (piece as Buffer).length;
      if (size > most) throw new RegistryError("INVALID", `${name} is longer than any policy can be`);
    }
  } finally {
    await file?.close();
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** A policy that was read, in the form that --from says, or else its keys; one of Gantry's own is checked. */
export interface PolicyFile {
  readonly form: LifecycleForm | undefined;
  readonly document: unknown;
}

/** Reads a policy. Throws INVALID with the place of what is wrong in one of Gantry's own. */
export async function readForm(path: string, { get, stdin }: Cli): Promise<PolicyFile> {
  const document = await readDocument(path, stdin);
  const { value } = document;
  const isOwn = typeof value === "object" && value !== null && "version" in value && "rules" in value;
  const form = get(fromForm) ?? (isOwn ? "gantry" : guessDialect(value));
  if (form !== "gantry") return { form, document: value };
  const { parseRetention } = await import("../policy/index.ts");
  return { form, document: parseRetention(document) };
}

/** Reads a policy for a service of this dialect, and converts one of another where --from says that it is one. */
export async function policyFor(path: string, dialect: LifecycleDialect, cli: Cli): Promise<FormattedLifecycle> {
  const { get } = cli;
  const { form, document } = await readForm(path, cli);
  const given = form ?? dialect;
  if (given !== dialect && get(fromForm) === undefined) {
    throw new RegistryError("INVALID", `${path} looks like a policy of ${given}, and one of ${dialect} is needed`, {
      hint: `to convert it, say --from ${given}; if it is right as it is, --from ${dialect}`,
    });
  }
  if (given === dialect) {
    requireDocument(dialect, document);
    return { document, losses: [] };
  }
  return convertLifecycle(given, dialect, document, { simpleImages: get(simpleImages) });
}

/** Names on stderr what a conversion loses. */
export function tellLosses({ losses }: FormattedLifecycle, { reporter }: Cli): void {
  for (const { at, message } of losses) reporter.say(plain(`lost: ${at} ${message}`));
}

/** The error for a policy of which nothing is left. */
export function nothingLeft(dialect: LifecycleForm): RegistryError {
  return new RegistryError("INVALID", `${dialect} can say nothing of this policy that would delete anything`, {
    hint: "see above what is lost; where each image has one tag and one platform, say --simple-images",
  });
}
