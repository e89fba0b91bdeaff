import { RegistryError } from "../oci/error.ts";
import { isLoopback } from "../oci/reference.ts";
import { isConfidential, isSameOrigin, mayLeadTo, type IsInsecure } from "./origin.ts";
import { discard, type Middleware, type Req, type Res } from "./transport.ts";

export interface RedirectSettings {
  /** How many hops are followed; 5. */
  readonly hops?: number;
  readonly isInsecure?: IsInsecure;
}

/** Headers that may go to another origin; all others stay with the one they were meant for. */
const portable: readonly string[] = ["accept", "accept-encoding", "range", "if-range", "user-agent"];

/**
 * Follows redirects: of any kind for GET and HEAD, 307 and 308 for the rest. To another origin it goes without
 * credentials; from TLS to plain HTTP, or from the public network to a private address, it does not go at all.
 */
export function redirect(settings: RedirectSettings = {}): Middleware {
  const { hops = 5, isInsecure } = settings;
  return (next) => async (first) => {
    let request = first;
    for (let hop = 0; ; hop++) {
      const response = await next(request);
      if (!leadsOn(request, response)) return response;
      const { host } = request.url;
      await discard(response);
      if (hop === hops) throw refused(`${first.url.host} redirects more than ${hops} times`, first.url.host, mendHint);
      const target = targetOf(request, response);
      if (!target) throw refused(`${host} answered ${response.status} without a URL to go to`, host, mendHint);
      checkHop(request.url, target, isInsecure);
      request = follow(request, target);
    }
  };
}

function leadsOn({ method }: Req, { status }: Res): boolean {
  if (status === 307 || status === 308) return true;
  return (method === "GET" || method === "HEAD") && (status === 301 || status === 302 || status === 303);
}

function targetOf(request: Req, response: Res): URL | undefined {
  const { location } = response.headers;
  if (location === undefined || !URL.canParse(location, request.url.href)) return undefined;
  const target = new URL(location, request.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") return undefined;
  target.username = "";
  target.password = "";
  target.hash = "";
  return target;
}

function checkHop(from: URL, target: URL, isInsecure: IsInsecure | undefined): void {
  if (!mayLeadTo(from, target, isInsecure)) {
    throw refused(`${from.host} redirects to ${target.host}, an address of a private network`, from.host, trustHint);
  }
  // Hosts that may speak plain HTTP are known by https: URLs too: which they speak is found out further below.
  if (!mayBePlain(from, isInsecure) && !isConfidential(target, isInsecure)) {
    throw refused(`${from.host} redirects from TLS to plain HTTP at ${target.host}`, from.host, trustHint);
  }
}

function mayBePlain({ protocol, host }: URL, isInsecure: IsInsecure | undefined): boolean {
  return protocol === "http:" || isLoopback(host) || (isInsecure?.(host) ?? false);
}

function follow(request: Req, url: URL): Req {
  if (isSameOrigin(request.url, url)) return { ...request, url };
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name]) => portable.includes(name) || (request.body && name.startsWith("content-")),
    ),
  );
  return { ...request, url, headers, anonymous: true };
}

const trustHint = "if it is right to trust this registry in that, declare it insecure";

const mendHint = "the redirects of the registry, or of a proxy before it, are wrong: who runs it can mend them";

function refused(message: string, host: string, hint: string): RegistryError {
  return new RegistryError("NETWORK", message, { host, hint });
}
