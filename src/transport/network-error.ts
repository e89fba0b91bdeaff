import { RegistryError } from "../oci/error.ts";
import { aborted } from "./clock.ts";
import type { Req } from "./transport.ts";

interface Meaning {
  readonly says: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

const certificateHint = "give its CA certificate for this host, or declare the host insecure";
const plainHint = "it may speak plain HTTP: declare the host insecure to allow that";

/** What Node's error codes mean to a person. */
const meanings: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: { says: "refused the connection", hint: "is it running, and on this port?", retryable: true },
  ECONNRESET: { says: "broke the connection off", retryable: true },
  ECONNABORTED: { says: "broke the connection off", retryable: true },
  EPIPE: { says: "closed the connection while we were sending", retryable: true },
  ETIMEDOUT: { says: "did not answer", hint: "check the network, a firewall or the proxy settings", retryable: true },
  EHOSTUNREACH: {
    says: "cannot be reached from here",
    hint: "check the network, a firewall or the proxy settings",
    retryable: true,
  },
  ENETUNREACH: {
    says: "cannot be reached from here",
    hint: "check the network, a firewall or the proxy settings",
    retryable: true,
  },
  ENOTFOUND: { says: "is not known: DNS has no such name", hint: "check the spelling of the host" },
  EAI_AGAIN: {
    says: "could not be looked up: DNS does not answer",
    hint: "check the network and the DNS settings",
    retryable: true,
  },
  EMFILE: { says: "cannot be connected to: this process has too many files open", hint: "raise the limit (ulimit -n)" },
  CERT_HAS_EXPIRED: { says: "has a TLS certificate that has expired", hint: "renew it, or check this machine's clock" },
  CERT_NOT_YET_VALID: { says: "has a TLS certificate that is not valid yet", hint: "check this machine's clock" },
  DEPTH_ZERO_SELF_SIGNED_CERT: { says: "has a self-signed TLS certificate", hint: certificateHint },
  SELF_SIGNED_CERT_IN_CHAIN: {
    says: "has a TLS certificate from an authority that is not trusted here",
    hint: certificateHint,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    says: "has a TLS certificate from an authority that is not trusted here",
    hint: certificateHint,
  },
  UNABLE_TO_GET_ISSUER_CERT: {
    says: "has a TLS certificate from an authority that is not trusted here",
    hint: certificateHint,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    says: "has a TLS certificate from an authority that is not trusted here",
    hint: certificateHint,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    says: "has a TLS certificate for another name",
    hint: "use the name that is in the certificate",
  },
  ERR_SSL_WRONG_VERSION_NUMBER: { says: "does not speak TLS", hint: plainHint },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { says: "does not speak TLS", hint: plainHint },
  ERR_SSL_UNSUPPORTED_PROTOCOL: { says: "speaks no TLS version that is allowed here" },
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: { says: "speaks no TLS version that is allowed here" },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    says: "wants a client certificate",
    hint: "give a certificate and its key for this host",
  },
  EPROTO: { says: "broke the TLS handshake off" },
  ERR_PROXY_TUNNEL: {
    says: "cannot be reached through the proxy",
    hint: "check the proxy settings, and who may use it",
  },
  ERR_PROXY_INVALID_CONFIG: {
    says: "cannot be reached: the proxy settings are not right",
    hint: "write http://HOST:PORT",
  },
  HPE_HEADER_OVERFLOW: { says: "sent a response whose header is too large" },
};

function meaningByPrefix(code: string): Meaning | undefined {
  if (code.startsWith("HPE_")) return { says: "sent something that is not an HTTP response" };
  return code.startsWith("ERR_SSL_") ? meanings["EPROTO"] : undefined;
}

/** Turns what Node threw for a request into a RegistryError; one that is such an error already stays as it is. */
export function networkError(error: unknown, request: Pick<Req, "method" | "url" | "signal">): RegistryError {
  if (error instanceof RegistryError) return error;
  if (request.signal?.aborted) return aborted(request.signal);
  const { host } = request.url;
  const { code, cause } = describe(error);
  const meaning = meanings[code] ?? meaningByPrefix(code);
  const says = meaning?.says ?? `could not be talked to (${code || "unknown cause"})`;
  return new RegistryError("NETWORK", `${host} ${says}`, {
    host,
    ...(meaning?.hint !== undefined && { hint: meaning.hint }),
    retryable: meaning?.retryable ?? false,
    cause,
  });
}

/** The error for a peer that kept us waiting; `what` says for what. */
export function timeoutError(what: string, ms: number, { url }: Pick<Req, "url">): RegistryError {
  return new RegistryError("TIMEOUT", `${url.host} ${what} within ${ms / 1000} s`, { host: url.host, retryable: true });
}

/** The error for a response that breaks HTTP or is cut off. */
export function brokenResponse(what: string, { url }: Pick<Req, "url">, retryable = false): RegistryError {
  return new RegistryError("NETWORK", `${url.host} ${what}`, { host: url.host, retryable });
}

/** The error for a response whose body ends too soon. */
export function cutOff(request: Pick<Req, "url">, received: number, length: number | undefined): RegistryError {
  const of = length === undefined ? "" : ` of ${length}`;
  return brokenResponse(`closed the connection after ${received}${of} bytes of a response`, request, true);
}

/** Whether the other end, or the network, broke a connection off. */
export function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && resets.includes(error.code as string);
}

/** Whether an error says that the other end does not speak TLS. */
export function isNotTls(error: unknown): boolean {
  return error instanceof RegistryError && meanings[describe(error.cause).code]?.hint === plainHint;
}

/** Whether an error says that nobody who is trusted vouches for the other end's certificate. */
export function isUntrusted(error: unknown): boolean {
  return error instanceof RegistryError && meanings[describe(error.cause).code]?.hint === certificateHint;
}

const resets: readonly string[] = ["ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"];

/** Node's code for an error, and a cause to keep: a parse error carries the response's bytes, which are not for showing. */
function describe(error: unknown): { readonly code: string; readonly cause?: unknown } {
  if (!(error instanceof Error)) return { code: "" };
  const several =
    error instanceof AggregateError ? (error.errors as unknown[]).find((one) => one instanceof Error) : undefined;
  const found = (several ?? error) as Error & { readonly code?: unknown };
  const code = sslCode(found) ?? (typeof found.code === "string" ? found.code : "");
  return "rawPacket" in found ? { code } : { code, cause: found };
}

/** The code that Node gives an OpenSSL error in some places, where it only put OpenSSL's words into an EPROTO. */
function sslCode({ code, message }: Error & { readonly code?: unknown }): string | undefined {
  const reason = code === "EPROTO" ? /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] : undefined;
  return reason && `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`;
}
