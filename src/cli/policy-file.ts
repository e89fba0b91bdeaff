import {
  convertLifecycle,
  guessDialect,
  RegistryError,
  requireDocument,
  type FormattedLifecycle,
  type LifecycleDialect,
  type LifecycleForm,
} from "../index.ts";
import type { Cli } from "./cli.ts";
import { readDocument } from "./documents.ts";
import { plain } from "./render/text.ts";
import { fromForm, simpleImages } from "./table/lifecycle-options.ts";

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
