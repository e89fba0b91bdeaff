import { isObject } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import { collect, contentOf } from "../oci/stream.ts";
import type { Clock } from "../transport/clock.ts";
import { retryAfter } from "../transport/retry-after.ts";
import { isPassing } from "../transport/retry.ts";
import type { Req, Res, Transport } from "../transport/transport.ts";
import { webPage, webPageHint } from "../transport/web-page.ts";
import { claimsOf } from "./claims.ts";
import { basicHeader, withoutSecret, type Credential } from "./credential.ts";
import { formatScopes, parseScopes, type Scopes } from "./scopes.ts";
import { Secret } from "./secret.ts";

/** Where tokens for a registry are to be had: the realm and service of its challenge. */
export interface TokenService {
  readonly realm: URL;
  readonly service?: string;
  /** The host of the registry that named it. */
  readonly registry: string;
}

export interface Token {
  readonly text: Secret;
  /** What was asked for; the service may have granted less. */
  readonly scopes: Scopes;
  /** When to fetch a new one: a little before it expires. */
  readonly renewAt: number;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** What was granted, where the service says it beside the token. */
  readonly granted?: Scopes;
  /** An identity token that buys more tokens, where one was asked for and the service issues such. */
  readonly identity?: Secret;
}

/** What a token is asked for. */
export interface TokenAsk {
  readonly scopes: Scopes;
  readonly credential?: Credential | undefined;
  /** Whether an identity token is wanted too, to keep in place of the password (`offline_token`). */
  readonly offline?: boolean;
}

/** The client as token services know it. */
const clientId = "gantry";
const bodyLimit = 1024 * 1024;
/** A token lives at least so long, whatever its service says (distribution, "Token Authentication Specification"). */
const shortestLife = 60;
const renewBefore = 30_000;
/** Answers by which a service says that it knows no POST. */
const noPost: readonly number[] = [400, 401, 404, 405];

/**
 * Fetches a token: by GET, with user and password where there are any, or by POST for an identity token, falling back to
 * GET where the service knows no POST. Throws UNAUTHORIZED where it is refused, retryable errors where it may come later.
 */
export async function fetchToken(
  next: Transport,
  service: TokenService,
  asked: TokenAsk,
  clock: Clock,
): Promise<Token> {
  const { credential, scopes } = asked;
  const start = clock.now();
  let response = await next(
    credential?.kind === "identity" ? postRequest(service, scopes, credential) : getRequest(service, asked),
  );
  let bytes = await collect(response.body, bodyLimit, `the answer of ${service.realm.host}`);
  if (credential?.kind === "identity" && noPost.includes(response.status)) {
    response = await next(getRequest(service, asked));
    bytes = await collect(response.body, bodyLimit, `the answer of ${service.realm.host}`);
  }
  if (response.status !== 200) {
    const wait = retryAfter(response.headers, clock.now());
    throw refusal(service, response, { credential, wait, words: withoutSecret(wordsOf(bytes), credential) });
  }
  return readToken(bytes, response, { service, scopes, start });
}

function getRequest({ realm, service }: TokenService, { scopes, credential, offline }: TokenAsk): Req {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of formatScopes(scopes)) url.searchParams.append("scope", scope);
  if (credential?.kind === "basic") url.searchParams.set("account", credential.username);
  url.searchParams.set("client_id", clientId);
  if (offline) url.searchParams.set("offline_token", "true");
  const authorization = credential && basicHeader(credential);
  return {
    method: "GET",
    url,
    headers: { accept: "application/json", ...(authorization && { authorization }) },
    anonymous: true,
  };
}

function postRequest(
  { realm, service }: TokenService,
  scopes: Scopes,
  credential: Credential & { kind: "identity" },
): Req {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: credential.token.reveal(),
    client_id: clientId,
    ...(service !== undefined && { service }),
    // Also where it is empty, as Docker sends it: there are services that insist on it.
    scope: formatScopes(scopes).join(" "),
  });
  const bytes = Buffer.from(form.toString());
  return {
    method: "POST",
    url: realm,
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    body: { size: bytes.byteLength, open: contentOf(bytes) },
    anonymous: true,
  };
}

function readToken(
  bytes: Uint8Array,
  response: Res,
  { service, scopes, start }: { service: TokenService; scopes: Scopes; start: number },
): Token {
  const value = parseObject(bytes);
  const text = value?.["token"] || value?.["access_token"];
  if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text)) {
    const page = webPage(response.headers, Buffer.from(bytes).toString("utf8"));
    throw new RegistryError(
      page ? "NETWORK" : "UNAUTHORIZED",
      `${service.realm.host}, which issues tokens for ${service.registry}, sent ${page ?? "no token"}`,
      { host: service.registry, hint: page && webPageHint },
    );
  }
  const told = Number(value!["expires_in"]) * 1000 || lifeOf(text, response, start);
  const life = Math.max(shortestLife * 1000, told);
  const expiresAt = start + life - ageOf(value!, response);
  const { scope, refresh_token: identity } = value!;
  return {
    text: new Secret(text),
    scopes,
    renewAt: expiresAt - renewBefore,
    expiresAt,
    ...(typeof scope === "string" && { granted: parseScopes(scope) }),
    ...(typeof identity === "string" && identity !== "" && { identity: new Secret(identity) }),
  };
}

/** How long a token lives by its own claims and the service's own clock, in milliseconds; 0 where it does not say. */
function lifeOf(text: string, { headers }: Res, start: number): number {
  const expires = claimsOf(new Secret(text))?.expires;
  return expires === undefined ? 0 : expires - (Date.parse(headers["date"] ?? "") || start);
}

/** How old a token is that a service handed out again, by the service's own clock. */
function ageOf(value: Record<string, unknown>, { headers }: Res): number {
  const age = Date.parse(headers["date"] ?? "") - Date.parse(String(value["issued_at"]));
  return age > 0 ? age : 0;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The service's own words in a refusal, in one short line; nothing where it has none that can be read. */
function wordsOf(bytes: Uint8Array): string {
  const body = parseObject(bytes);
  const first: unknown = Array.isArray(body?.["errors"]) ? body["errors"][0] : body;
  const words = isObject(first) ? (first["message"] ?? first["error_description"] ?? first["details"]) : undefined;
  return typeof words === "string"
    ? words
        .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
        .trim()
        .slice(0, 200)
    : "";
}

interface Refused {
  readonly credential: Credential | undefined;
  /** The milliseconds that the service asked to wait. */
  readonly wait: number | undefined;
  /** What it said. */
  readonly words: string;
}

function refusal(
  { realm, registry }: TokenService,
  { status }: Res,
  { credential, wait, words }: Refused,
): RegistryError {
  const details = { host: registry, status, credential: credential?.origin, retryAfter: wait };
  const answered = `answered ${status}${words && `: ${words}`}`;
  if (status === 429)
    return new RegistryError("TOOMANYREQUESTS", `${realm.host} issues no more tokens for now`, {
      ...details,
      retryable: true,
    });
  if (status >= 500 || isPassing(status))
    return new RegistryError("UNAVAILABLE", `${realm.host}, which issues tokens for ${registry}, ${answered}`, {
      ...details,
      retryable: isPassing(status),
    });
  if (status !== 401 && status !== 403)
    return new RegistryError(
      "UNAUTHORIZED",
      `${realm.host}, which issues tokens for ${registry}, ${answered}`,
      details,
    );
  if (!credential) {
    const why = status === 403 && words ? ` (${realm.host} ${answered})` : "";
    return new RegistryError("UNAUTHORIZED", `${registry} gives nothing to who is not logged in${why}`, {
      ...details,
      hint: `log in to ${registry}`,
    });
  }
  const what =
    credential.kind === "basic"
      ? `the user ${JSON.stringify(credential.username)} or the password`
      : "the identity token";
  return new RegistryError("UNAUTHORIZED", `${registry} does not accept ${what} (${realm.host} ${answered})`, {
    ...details,
    hint: `log in to ${registry} again`,
  });
}
