import { RegistryError } from "../oci/error.ts";
import { isLoopback } from "../oci/reference.ts";
import { isConfidential, mayLeadTo, type IsInsecure } from "../transport/origin.ts";
import type { Res } from "../transport/transport.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import { parseScopes, type Scopes } from "./scopes.ts";
import type { TokenService } from "./token.ts";

/** How a host wants to be shown who we are. */
export interface Way {
  readonly bearer?: TokenService;
  readonly basic: boolean;
  /** What the answer said the request lacks. */
  readonly scopes: Scopes;
  /** Whether a token was good, but not for this. */
  readonly insufficient: boolean;
}

/** Reads what an answer asks for: of several challenges a Bearer before a Basic one; nothing where it asks for neither. */
export function wayOf(url: URL, { status, headers }: Res): Way | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const challenges = parseChallenges(headers["www-authenticate"]);
  const bearers = challenges.filter(
    ({ scheme, params }) => scheme === "bearer" && URL.canParse(params.get("realm") ?? "", url.href),
  );
  const basic = challenges.some(({ scheme }) => scheme === "basic");
  const insufficient = bearers.some(({ params }) => params.get("error") === "insufficient_scope");
  if (status === 403 && !insufficient) return undefined;
  const [bearer] = bearers;
  if (!bearer) return basic ? { basic, scopes: new Map(), insufficient } : undefined;
  return { bearer: serviceOf(url, bearer), basic, scopes: parseScopes(bearer.params.get("scope")), insufficient };
}

function serviceOf(url: URL, { params }: Challenge): TokenService {
  const service = params.get("service");
  return { realm: new URL(params.get("realm")!, url), registry: url.host, ...(service !== undefined && { service }) };
}

/**
 * Throws UNAUTHORIZED where a registry names a realm that it must not: one that is not HTTPS although the registry is, an
 * address of a private network from the public one, or, with credentials, another host over plain HTTP.
 */
export function checkRealm(
  registry: URL,
  realm: URL,
  hasCredential: boolean,
  isInsecure: IsInsecure | undefined,
): void {
  const trusted = isLoopback(registry.host) || (isInsecure?.(registry.host) ?? false);
  if (realm.protocol !== "https:" && realm.protocol !== "http:")
    throw refused(registry, realm, "which is no web address");
  if (!mayLeadTo(registry, realm, isInsecure)) throw refused(registry, realm, "an address of a private network");
  if (realm.protocol === "https:") return;
  if (!trusted) throw refused(registry, realm, "which is not encrypted");
  if (hasCredential && realm.host !== registry.host && !isLoopback(realm.host))
    throw refused(registry, realm, "another host, not encrypted");
}

/** Throws UNAUTHORIZED where credentials would go over a network in plain text. */
export function checkPlain(url: URL, isInsecure: IsInsecure | undefined): void {
  if (isConfidential(url, isInsecure)) return;
  throw new RegistryError("UNAUTHORIZED", `${url.host} wants credentials over plain HTTP`, {
    host: url.host,
    hint: "use HTTPS, or declare the registry insecure",
  });
}

function refused(registry: URL, realm: URL, why: string): RegistryError {
  return new RegistryError(
    "UNAUTHORIZED",
    `${registry.host} sends logins to ${realm.protocol}//${realm.host}, ${why}`,
    {
      host: registry.host,
      hint: "if it is right to trust this registry in that, declare it insecure",
    },
  );
}
