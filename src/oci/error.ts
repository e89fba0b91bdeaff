/** The codes of the distribution spec (section "Error Codes"), as a registry sends them. */
export const registryCodes = [
  "BLOB_UNKNOWN",
  "BLOB_UPLOAD_INVALID",
  "BLOB_UPLOAD_UNKNOWN",
  "DENIED",
  "DIGEST_INVALID",
  "MANIFEST_BLOB_UNKNOWN",
  "MANIFEST_INVALID",
  "MANIFEST_UNKNOWN",
  "NAME_INVALID",
  "NAME_UNKNOWN",
  "SIZE_INVALID",
  "TOOMANYREQUESTS",
  "UNAUTHORIZED",
  "UNSUPPORTED",
] as const;

/**
 * What went wrong, as one word. Beside the registry's codes: `INVALID` (input or configuration that cannot be right),
 * `REFUSED` (one of the user's own rules forbids it: a policy, a guard rail), `UNVERIFIED` (bytes that are not what their digest or size promises), `CORRUPT` (a layout, archive or manifest that
 * breaks its format), `TOO_LARGE` (past a cap), `CONFLICT` (somebody else holds or changed it), `NETWORK` (no answer, or
 * a broken one), `TIMEOUT`, `UNAVAILABLE` (the other end answered 5xx), `PARTIAL` (some of many failed), `ABORTED`
 * (the caller's signal), `UNKNOWN`.
 */
export type ErrorCode =
  | (typeof registryCodes)[number]
  | "ABORTED"
  | "CONFLICT"
  | "CORRUPT"
  | "INVALID"
  | "NETWORK"
  | "PARTIAL"
  | "REFUSED"
  | "TIMEOUT"
  | "TOO_LARGE"
  | "UNAVAILABLE"
  | "UNKNOWN"
  | "UNVERIFIED";

export interface ErrorDetails {
  /** Which end of a copy failed. */
  readonly side?: "source" | "destination";
  /** The host (`name[:port]`) that answered, or did not. */
  readonly host?: string;
  /** The proxy (`name:port`) that stands between, where the trouble is its own or may be. */
  readonly proxy?: string;
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** Where the credential was found that the request carried, for people; never the credential. */
  readonly credential?: string | undefined;
  /** One sentence on the way out, for a person. */
  readonly hint?: string;
  /** Whether the same call may succeed later. */
  readonly retryable?: boolean;
  /** After how many milliseconds the other end asked to be tried again. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** The one error that Gantry throws on purpose; `message` names the thing and the place, never a secret. */
export class RegistryError extends Error implements ErrorDetails {
  readonly code: ErrorCode;
  readonly side?: "source" | "destination";
  readonly host?: string;
  readonly proxy?: string;
  readonly status?: number;
  readonly credential?: string | undefined;
  readonly hint?: string;
  readonly retryable: boolean;
  readonly retryAfter?: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "RegistryError";
    this.code = code;
    this.side = details.side;
    this.host = details.host;
    this.proxy = details.proxy;
    this.status = details.status;
    this.credential = details.credential;
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
    this.retryAfter = details.retryAfter;
  }

  /** The same error with more said about it; what it says already stays. */
  with(details: ErrorDetails): RegistryError {
    const more = new RegistryError(this.code, this.message, {
      side: this.side ?? details.side,
      host: this.host ?? details.host,
      proxy: this.proxy ?? details.proxy,
      status: this.status ?? details.status,
      credential: this.credential ?? details.credential,
      hint: this.hint ?? details.hint,
      retryable: this.retryable,
      retryAfter: this.retryAfter ?? details.retryAfter,
      cause: this.cause ?? details.cause,
    });
    more.stack = this.stack;
    return more;
  }
}

/** Whether a caught value is a RegistryError (from any copy of this package), and of one of the codes where some are named. */
export function isRegistryError(error: unknown, ...codes: readonly ErrorCode[]): error is RegistryError {
  if (!(error instanceof Error) || error.name !== "RegistryError") return false;
  return codes.length === 0 || codes.includes((error as RegistryError).code);
}

/** Whether a caught value says that the thing asked for is not there. */
export function isAbsent(error: unknown): error is RegistryError {
  return isRegistryError(error, "BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN");
}

/** Whether a caught value says that the thing asked for is there, but is not what it must be, or not what can be read. */
export function isBroken(error: unknown): error is RegistryError {
  return isRegistryError(error, "CORRUPT", "MANIFEST_INVALID", "TOO_LARGE", "UNSUPPORTED", "UNVERIFIED");
}
