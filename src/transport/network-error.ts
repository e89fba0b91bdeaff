import { RegistryError } from "../oci/error.ts";
import { aborted } from "./clock.ts";
import { meaningOf, saysNotTls, saysUntrusted } from "./node-meanings.ts";
import type { Proxy } from "./proxies.ts";
import type { Req } from "./transport.ts";

/** Turns what Node threw for a request, which may have gone through a proxy, into a RegistryError; one that is such an error already stays as it is. */
export function networkError(
  error: unknown,
  request: Pick<Req, "method" | "url" | "signal">,
  proxy?: Proxy,
): RegistryError {
  if (error instanceof RegistryError) return error;
  if (request.signal?.aborted) return aborted(request.signal);
  const { host } = request.url;
  const { says, hint, retryable, cause } = meaningOf(error);
  const way =
    proxy && saysUntrusted(error) ? `if the proxy ${proxy.name} looks into TLS, trust its CA certificate` : hint;
  return new RegistryError("NETWORK", `${host} ${says}`, {
    host,
    proxy: proxy?.name,
    hint: way,
    retryable,
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

/** Whether an error says that nobody listens at the other end. */
export function isRefused(error: unknown): boolean {
  return error instanceof RegistryError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ECONNREFUSED";
}

/** Whether an error says that the other end does not speak TLS. */
export function isNotTls(error: unknown): boolean {
  return error instanceof RegistryError && saysNotTls(error.cause);
}

/** Whether an error says that nobody who is trusted vouches for the other end's certificate. */
export function isUntrusted(error: unknown): boolean {
  return error instanceof RegistryError && saysUntrusted(error.cause);
}

const resets: readonly string[] = ["ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"];
