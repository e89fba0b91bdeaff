import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import {
  convertLifecycle,
  guessDialect,
  RegistryError,
  requireDocument,
  type FormattedLifecycle,
  type LifecycleDialect,
} from "../index.ts";
import type { Document } from "../plan/index.ts";
import type { Cli } from "./cli.ts";
import { plain } from "./render/text.ts";
import { from, simpleImages } from "./table/lifecycle-options.ts";

/** No policy of any service is as long. */
const longestPolicy = 1 << 20;

/** Reads JSON or YAML of at most so many bytes from a file, or from stdin for `-`. Throws INVALID with the place of what is neither. */
export async function readDocument(path: string, stdin: Readable, most = longestPolicy): Promise<Document> {
  const name = path === "-" ? "stdin" : path;
  const text = await readText(path, name, stdin, most);
  const { parseYaml } = await import("../plan/index.ts");
  return parseYaml(text, name);
}

/** The same, where only its value is wanted. */
export async function readPolicy(path: string, stdin: Readable): Promise<unknown> {
  return (await readDocument(path, stdin)).value;
}

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

/** The dialect of a document: as --from says, else as its keys do. */
export function dialectOf(document: unknown, { get }: Cli): LifecycleDialect | undefined {
  return get(from) ?? guessDialect(document);
}

/** Reads a policy for a service of this dialect, and converts one of another where --from says that it is one. */
export async function policyFor(path: string, dialect: LifecycleDialect, cli: Cli): Promise<FormattedLifecycle> {
  const { get } = cli;
  const document = await readPolicy(path, cli.stdin);
  const given = dialectOf(document, cli) ?? dialect;
  if (given !== dialect && get(from) === undefined) {
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
export function nothingLeft(dialect: LifecycleDialect): RegistryError {
  return new RegistryError("INVALID", `${dialect} can say nothing of this policy that would delete anything`, {
    hint: "see above what is lost; where each image has one tag and one platform, say --simple-images",
  });
}
