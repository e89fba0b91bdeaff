import {
  convertLifecycle,
  guessDialect,
  RegistryError,
  type FormattedLifecycle,
  type LifecycleDialect,
  type LifecycleForm,
} from "../index.ts";
import type { Document } from "../plan/index.ts";
import type { Cli } from "./cli.ts";
import { readDocument } from "./documents.ts";
import { plain } from "./render/text.ts";
import { fromForm, simpleImages } from "./table/lifecycle-options.ts";

/** A policy that was read, and the form that --from says, or else its keys. */
export interface PolicyFile {
  readonly form: LifecycleForm | undefined;
  readonly document: Document;
}

/** Reads a policy, whatever is in it. */
export async function readForm(path: string, { get, stdin }: Cli): Promise<PolicyFile> {
  const { fromGcloud } = await import("../policy/index.ts");
  const document = fromGcloud(await readDocument(path, stdin));
  const { value } = document;
  const isOwn = typeof value === "object" && value !== null && "version" in value && "rules" in value;
  return { form: get(fromForm) ?? (isOwn ? "gantry" : guessDialect(value)), document };
}

/** What a policy of a form says. Throws INVALID with the place of all that is wrong in it. */
export async function policyIn(form: LifecycleForm, document: Document): Promise<unknown> {
  const { parseRetention, requireRead } = await import("../policy/index.ts");
  if (form === "gantry") return parseRetention(document);
  requireRead(form, document);
  return document.value;
}

/** Reads a policy for a service of this dialect, and converts one of another where --from says that it is one. */
export async function policyFor(path: string, dialect: LifecycleDialect, cli: Cli): Promise<FormattedLifecycle> {
  const { get } = cli;
  const { form, document: read } = await readForm(path, cli);
  const given = form ?? dialect;
  if (given !== dialect && get(fromForm) === undefined) {
    throw new RegistryError("INVALID", `${path} looks like a policy of ${given}, and one of ${dialect} is needed`, {
      hint: `to convert it, say --from ${given}; if it is right as it is, --from ${dialect}`,
    });
  }
  const document = await policyIn(given, read);
  if (given === dialect) return { document, losses: [] };
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
