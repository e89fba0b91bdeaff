import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError, registryCodes, type ErrorCode } from "../../oci/error.ts";
import type { Res } from "../../transport/transport.ts";

const errorBodyLimit = 64 * 1024;
const messageLimit = 500;

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  405: "UNSUPPORTED",
  408: "TIMEOUT",
  409: "CONFLICT",
  412: "CONFLICT",
  413: "TOO_LARGE",
  429: "TOOMANYREQUESTS",
  501: "UNSUPPORTED",
};

const hintOfCode: Partial<Record<ErrorCode, (host: string) => string>> = {
  UNAUTHORIZED: (host) => `log in to ${host}, or check that the credentials for it are still valid`,
  DENIED: (host) => `the account used for ${host} may not do this: use one that may, or have it granted`,
  TOOMANYREQUESTS: (host) => `${host} limits requests: try later, with fewer at once, or logged in`,
  TOO_LARGE: (host) => `${host} or a proxy before it limits what one request may carry: have the limit raised`,
};

/** What nginx answers to those who come without a certificate, or with one of an authority that it does not know. */
const wantsCertificate = /No required SSL certificate was sent|The SSL certificate error/;

/** The words in which a failed request is reported. */
export interface Attempt {
  /** What was tried, after "cannot": `read manifest v1 of registry.example/app`. */
  readonly what: string;
  readonly host: string;
  /** The code of a 404 that names none itself. */
  readonly absent?: ErrorCode;
}

/** Reads an answer that is no success into the error to throw: the registry's code and words where it gave any. */
export async function failure(response: Res, { what, host, absent }: Attempt): Promise<RegistryError> {
  const { status } = response;
  const text = await bodyText(response);
  const told = parseErrors(text);
  const code =
    told?.code ??
    (status === 404 ? absent : undefined) ??
    codeOfStatus[status] ??
    (status >= 500 ? "UNAVAILABLE" : "UNKNOWN");
  const words = [told?.name, told?.message].filter((part) => part !== undefined && part !== "").join(": ");
  return new RegistryError(code, `cannot ${what}: ${host} answered ${status}${words === "" ? "" : ` ${words}`}`, {
    host,
    status,
    hint: wantsCertificate.test(text)
      ? `${host} wants to know who asks: give a client certificate and its key for this host`
      : hintOfCode[code]?.(host),
    retryable: status === 408 || status === 429 || status >= 500,
  });
}

/** A connection's error, which names only the host, with what was tried; any other error as it is. */
export function explained(error: unknown, { what, host }: Attempt): unknown {
  if (!isRegistryError(error, "NETWORK", "TIMEOUT") || error.message.startsWith("cannot ")) return error;
  const { code, message, hint, retryable, cause } = error;
  return new RegistryError(code, `cannot ${what}: ${message}`, { host: error.host ?? host, hint, retryable, cause });
}

/** The same refusal, understood as something more exact than the registry said. */
export function recoded(
  { message, host, status, hint, retryable, cause }: RegistryError,
  code: ErrorCode,
  way?: string,
): RegistryError {
  return new RegistryError(code, message, { host, status, hint: way ?? hint, retryable, cause });
}

/** The error for an answer that succeeds and makes no sense, or breaks off. */
export function nonsense({ what, host }: Attempt, why: string, retryable = false): RegistryError {
  return new RegistryError("NETWORK", `cannot ${what}: ${host} ${why}`, { host, retryable });
}

/** A registry's text made fit for a terminal: one line, no control characters, no more than 500 characters. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
  return line.length > messageLimit ? `${line.slice(0, messageLimit)}...` : line;
}

interface Told {
  readonly code?: ErrorCode;
  /** The code as the registry wrote it, known or not. */
  readonly name?: string;
  readonly message?: string;
}

/** Reads the error body of distribution-spec ("Error Codes"); anything else, such as a proxy's page, says nothing. */
function parseErrors(text: string): Told | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  const errors = isObject(body) ? body["errors"] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (!isObject(first)) return undefined;
  const name = typeof first["code"] === "string" ? plainText(first["code"]).slice(0, 60) : undefined;
  const detail =
    typeof first["detail"] === "string" && first["detail"] !== first["message"] ? first["detail"] : undefined;
  const message = [first["message"], detail].filter((part) => typeof part === "string" && part !== "").join(": ");
  return { code: registryCodes.find((code) => code === name), name, message: plainText(message) };
}

/** As much of the body as an error may need; a body that breaks off ends there. */
async function bodyText(response: Res): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response.body) {
      pieces.push(Buffer.from(piece.subarray(0, errorBodyLimit - size)));
      size += piece.byteLength;
      if (size >= errorBodyLimit) break;
    }
  } catch {
    // what came is what there is
  }
  return Buffer.concat(pieces).toString();
}
