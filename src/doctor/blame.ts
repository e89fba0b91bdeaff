import { isRegistryError, type ErrorCode } from "../oci/error.ts";
import { plainText } from "../store/remote/answer.ts";
import { networkError } from "../transport/network-error.ts";
import { isPage, type Answer } from "./ask.ts";
import { fault, type CheckName, type Diagnosis } from "./diagnosis.ts";
import type { Place } from "./place.ts";
import { networkRules } from "./rules/network.ts";
import { advise, type Evidence, type Rule } from "./rules/rule.ts";

/** What is known beside the failure itself. */
export type Beside = Partial<Pick<Evidence, "service" | "user" | "url">>;

/** The evidence that every failure at a place starts with. */
export function evidenceAt(check: CheckName, place: Place, beside: Beside = {}): Evidence {
  return { check, registry: place.registry, place: place.name, url: `https://${place.host}/v2/`, ...beside };
}

/** A fault for something that was thrown: what happened, why by the table of network failures, and what to run. */
export function blame(check: CheckName, thrown: unknown, place: Place, beside: Beside = {}): Diagnosis {
  const error = networkError(thrown, { method: "GET", url: new URL(`https://${place.host}/`) });
  const cause = causeCode(error) ?? error.code;
  const advice = advise(networkRules, { ...evidenceAt(check, place, beside), cause, text: error.message });
  return fault(check, error.message, {
    code: error.code,
    host: error.host ?? place.host,
    ...(error.status !== undefined && { status: error.status }),
    ...(error.hint !== undefined && { cause: error.hint }),
    ...advice,
  });
}

/** A fault for an answer that is a refusal or makes no sense; the first of `rules` that fits tells why. */
export function blameAnswer(
  check: CheckName,
  answer: Answer,
  place: Place,
  {
    rules,
    message,
    code,
    ...beside
  }: Beside & {
    readonly rules: readonly Rule[];
    readonly message: string;
    readonly code: ErrorCode;
  },
): Diagnosis {
  const { status } = answer;
  // JSON has its own way to write the words.
  const text = `${wordsOf(answer)}\n${answer.text}`;
  const evidence = {
    ...evidenceAt(check, place, { url: answer.url.href, ...beside }),
    status,
    text,
    page: isPage(answer),
  };
  return fault(check, message, { code, host: answer.url.host, status, ...advise(rules, evidence) });
}

/** The registry's own words in an answer, in one short line; nothing for a page. */
export function wordsOf(answer: Answer): string {
  if (isPage(answer)) return "";
  return plainText(firstError(answer.text) ?? "").slice(0, 200);
}

function firstError(text: string): string | undefined {
  try {
    const body = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] } | null;
    const first = body?.errors?.[0];
    return [first?.code, first?.message].filter((part) => typeof part === "string" && part !== "").join(": ");
  } catch {
    return undefined;
  }
}

/** The system's or OpenSSL's code at the bottom of an error. */
function causeCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error.cause];
  const below = causeCode(first);
  if (below !== undefined) return below;
  if (!("code" in error) || isRegistryError(error)) return undefined;
  const ssl = error.code === "EPROTO" ? /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1] : undefined;
  return ssl ? ssl.toUpperCase().replaceAll(" ", "_") : String(error.code);
}
