import { RegistryError, type ErrorCode } from "../oci/error.ts";
import { meaningOf } from "./node-meanings.ts";
import type { Proxy } from "./proxies.ts";
import type { Route } from "./routes.ts";
import type { Res } from "./transport.ts";

const settingsHint = "check the proxy settings; hosts to be reached without it belong in NO_PROXY";

/** The error for a proxy that cannot be connected to, or breaks off, or sends what is no answer. */
export function proxyFault(error: unknown, route: Route, proxy: Proxy): RegistryError {
  if (error instanceof RegistryError) return error;
  const { says, hint, retryable, cause } = meaningOf(error);
  return new RegistryError("NETWORK", `${route.authority} cannot be reached: the proxy ${proxy.name} ${says}`, {
    ...detailsOf(route, proxy),
    hint: hint ?? settingsHint,
    retryable,
    cause,
  });
}

/** Whether a proxy wants a login; one of the common ones answers 401 to a wrong one, which from a registry says what it wants. */
export function isProxysOwn({ status, headers }: Pick<Res, "status" | "headers">, proxy: Proxy): boolean {
  return status === 407 || (status === 401 && headers["www-authenticate"] === undefined && hasLogin(proxy));
}

function hasLogin(proxy: Proxy): boolean {
  return Object.keys(proxy.login()).length > 0;
}

interface Refusal {
  readonly code?: ErrorCode;
  readonly says: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

/** The error for a proxy that answers for itself: it wants a login, or does not connect us. */
export function proxyRefusal(response: Pick<Res, "status" | "headers">, route: Route, proxy: Proxy): RegistryError {
  const { code = "NETWORK", says, hint = settingsHint, retryable = false } = refusalOf(response, route, proxy);
  const own = /^[A-Z_]{3,40}/.exec(response.headers["x-squid-error"] ?? "")?.[0];
  const answered = `${response.status}${own === undefined ? "" : ` ${own}`}`;
  return new RegistryError(
    code,
    `${route.authority} cannot be reached: the proxy ${proxy.name} ${says} (it answered ${answered})`,
    { ...detailsOf(route, proxy), status: response.status, hint, retryable },
  );
}

function refusalOf({ status, headers }: Pick<Res, "status" | "headers">, route: Route, proxy: Proxy): Refusal {
  if (status === 407 || status === 401) return loginWanted(headers["proxy-authenticate"] ?? "", proxy);
  if (status === 403)
    return {
      code: "DENIED",
      says: "does not let us through to it",
      hint: `have ${route.host}, port ${route.port}, allowed there, or take another proxy`,
    };
  if (status === 400 || status === 404 || status === 405 || status === 501)
    return { says: "opens no tunnels (CONNECT)", hint: "is it a forward proxy, and on this port?" };
  if (status === 429 || status >= 500) return { says: "could not connect to it", retryable: true };
  return { says: "did not open a tunnel to it" };
}

function loginWanted(challenges: string, proxy: Proxy): Refusal {
  const code = "DENIED";
  const scheme = /^\s*([A-Za-z]{2,20})/.exec(challenges)?.[1];
  if (scheme !== undefined && !/\bbasic\b/i.test(challenges))
    return {
      code,
      says: `wants a login by ${scheme}, and we know Basic alone`,
      hint: "put a proxy between that knows it",
    };
  if (hasLogin(proxy))
    return { code, says: "does not accept the user or the password", hint: "check them in the proxy's URL" };
  return { code, says: "wants a login", hint: `write http://USER:PASSWORD@${proxy.name}, with %40 for an @ in them` };
}

/** What is known of any failure on a proxy's way. */
function detailsOf(route: Route, proxy: Proxy): { readonly host: string; readonly proxy: string } {
  return { host: route.authority, proxy: proxy.name };
}
