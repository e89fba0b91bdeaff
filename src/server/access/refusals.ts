import { faultReply, type Reply } from "../message.ts";
import type { Action, Verdict } from "../access.ts";
import type { Origin } from "./origin.ts";
import { scopeOf } from "./scope.ts";

/** Asks for a token: what a client without one, or with one that does not do, has to be told (RFC 6750, section 3). */
export function challenge(
  { realm, service }: Origin,
  action: Action,
  message: string,
  error?: "insufficient_scope" | "invalid_token",
): Verdict {
  const scope = scopeOf(action);
  const parameters = { realm, service, ...(scope !== undefined && { scope }), ...(error !== undefined && { error }) };
  const value = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  const headers = { "www-authenticate": `Bearer ${value.join(",")}` };
  return { allow: false, reply: faultReply(401, "UNAUTHORIZED", message, { headers }) };
}

/** Refuses somebody known, whom no other token would help. DENIED, so that clients do not try again. */
export function denied(user: string, verb: string, { repository = "the catalog" }: Action): Verdict {
  return { allow: false, reply: faultReply(403, "DENIED", `${user} may not ${verb} ${repository}`) };
}

/** Refuses to look at credentials for some seconds. */
export function tooManyFailures(wait: number): Reply {
  const headers = { "retry-after": String(wait) };
  return faultReply(429, "TOOMANYREQUESTS", `too many failed logins: try again in ${wait} seconds`, { headers });
}

/** Refuses a request that does not say which host it is for. */
export function badHost(): Reply {
  return faultReply(400, "UNSUPPORTED", "the Host header is missing or malformed");
}
