import { isObject } from "../oci/descriptor.ts";
import { RegistryError, type ErrorCode } from "../oci/error.ts";
import { plainText } from "../store/remote/answer.ts";
import { systemClock } from "../transport/clock.ts";
import { retryAfter } from "../transport/retry-after.ts";
import type { JsonAnswer, JsonApiOptions } from "./json-api.ts";

/** The error for an answer that is none that was hoped for. */
export function apiError(
  answer: JsonAnswer,
  {
    title,
    host,
    what,
    absent = "NAME_UNKNOWN",
    hidden,
    error,
  }: {
    readonly title: string;
    readonly host: string;
    readonly what: string;
    readonly absent: ErrorCode | undefined;
    /** What may be in no message, should the other end have sent it back. */
    readonly hidden: readonly string[];
    readonly error: JsonApiOptions["error"];
  },
): RegistryError {
  const { status, headers } = answer;
  const fault = error?.(answer);
  const told = fault?.message ?? messageIn(answer.body) ?? "";
  const said = plainText(hidden.reduce((text, one) => (one ? text.replaceAll(one, "[secret]") : text), told));
  const wait = retryAfter(headers, systemClock.now());
  return new RegistryError(
    fault?.code ?? codeOf(status, absent),
    `cannot ${what}: ${title} answered ${status}${said ? `: ${said}` : ""}`,
    {
      host,
      status,
      retryable: fault?.code === "TOOMANYREQUESTS" || status === 429 || status >= 500,
      ...(wait !== undefined && { retryAfter: wait }),
      ...(fault?.hint !== undefined && { hint: fault.hint }),
    },
  );
}

function codeOf(status: number, absent: ErrorCode): ErrorCode {
  if (status === 400 || status === 422) return "INVALID";
  if (status === 401) return "UNAUTHORIZED";
  if (status === 403) return "DENIED";
  if (status === 404) return absent;
  if (status === 405 || status === 501) return "UNSUPPORTED";
  if (status === 409 || status === 412) return "CONFLICT";
  if (status === 429) return "TOOMANYREQUESTS";
  return status >= 500 ? "UNAVAILABLE" : "UNKNOWN";
}

const messageLimit = 300;

/** The text in the forms of error bodies that most services have. */
export function messageIn(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const first = Array.isArray(body["errors"]) ? (body["errors"] as readonly unknown[])[0] : undefined;
  for (const part of [body, first, body["error"]]) {
    if (!isObject(part)) continue;
    for (const name of ["message", "detail", "error_message", "error_description", "error", "title"]) {
      const text = part[name];
      if (typeof text !== "string" || text === "") continue;
      const line = plainText(text).replace(/\s+/g, " ").slice(0, messageLimit);
      if (line !== "") return line;
    }
  }
  return undefined;
}
