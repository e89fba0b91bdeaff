import { isRegistryError, RegistryError, type ErrorCode } from "../oci/error.ts";
import { manifestAccept } from "../oci/media-types.ts";
import { apiHost } from "../oci/reference.ts";
import { systemClock } from "../transport/clock.ts";
import { discard, type Req, type Res } from "../transport/transport.ts";
import { basicHeader, type Credential } from "./credential.ts";
import { covers, formatScopes, parseScopes, scopesOf, union, type Scopes } from "./scopes.ts";
import { Secret } from "./secret.ts";
import { fetchToken, type Token } from "./token.ts";
import { claimsOf } from "./claims.ts";
import { traceCredentials, type CredentialTrace } from "./trace.ts";
import type { Admission } from "./validate.ts";
import { checkPlain, checkRealm, wayOf, type Way } from "./way.ts";

/** What somebody wants to do. */
export interface Wish {
  /** The registry's `host[:port]`. */
  readonly host: string;
  readonly repository: string;
  /** The tag or digest to pull. */
  readonly ref: string;
  readonly push?: boolean;
}

/** How access went, step by step. */
export interface AccessTrace {
  readonly credentials: CredentialTrace;
  /** How the registry wants credentials; absent where it asked for none. */
  readonly challenge?: { readonly scheme: "basic" | "bearer"; readonly realm?: string; readonly service?: string };
  /** The scopes that a token was asked for, and those it has where that can be known. */
  readonly asked?: readonly string[];
  readonly granted?: readonly string[];
  /** When the token expires, in milliseconds since 1970. */
  readonly expiresAt?: number;
  /** The Authorization header that requests carry. */
  readonly authorization?: Secret;
  /** What the registry answered in the end. */
  readonly status?: number;
  /** Why there is no access. */
  readonly refused?: RegistryError;
}

/**
 * Goes the way of a pull's or push's first request, and tells what each step brought: the credential found, the
 * challenge, the token. It sends what these would: a HEAD of the manifest (for a push, a GET of `/v2/`), and what gets a token.
 */
export async function traceAccess(admission: Admission, wish: Wish, signal?: AbortSignal): Promise<AccessTrace> {
  const question = questionOf(wish, signal);
  const credentials = await traceCredentials(admission.credentials, question.url.host, wish.repository, signal);
  const failed = credentials.sources.find(({ error }) => error)?.error;
  if (failed) return { credentials, refused: failed };
  const first = await send(admission, question);
  const way = wayOf(question.url, first);
  if (!way) return { credentials, ...outcome(first, question, undefined) };
  const steps = { credentials, challenge: challengeOf(way) };
  try {
    const { authorization, ...shown } = await prove(admission, question, way, wish, credentials.credential);
    const answer = await send(admission, {
      ...question,
      headers: { ...question.headers, authorization: authorization.reveal() },
    });
    const trace = { ...steps, ...shown, authorization, ...outcome(answer, question, credentials.credential) };
    return wish.push && !trace.refused ? { ...trace, ...shortfall(trace, question.url.host) } : trace;
  } catch (error) {
    if (!isRegistryError(error, "UNAUTHORIZED")) throw error;
    return { ...steps, refused: error };
  }
}

function questionOf({ host, repository, ref, push }: Wish, signal: AbortSignal | undefined): Req {
  const base = `https://${apiHost(host)}/v2/`;
  const rest = { headers: { accept: manifestAccept }, anonymous: true, ...(signal && { signal }) };
  if (push) return { ...rest, method: "GET", url: new URL(base) };
  return { ...rest, method: "HEAD", url: new URL(`${repository}/manifests/${ref}`, base) };
}

async function send({ transport }: Admission, question: Req): Promise<Res> {
  const response = await transport(question);
  await discard(response);
  return response;
}

/** A manifest that is not there was looked for: that is access. */
function outcome(
  { status }: Res,
  { url }: Req,
  credential: Credential | undefined,
): Pick<AccessTrace, "status" | "refused"> {
  if (status < 400 || status === 404) return { status };
  const code = codes[status] ?? (status >= 500 ? "UNAVAILABLE" : "UNKNOWN");
  const details = { host: url.host, status, credential: credential?.origin };
  return { status, refused: new RegistryError(code, `${url.host} answered ${status}`, details) };
}

const codes: Readonly<Record<number, ErrorCode>> = { 401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS" };

/** The version check lets in whom a push would not be: what the token says decides. */
function shortfall({ asked, granted }: AccessTrace, host: string): Pick<AccessTrace, "refused"> {
  if (!asked || !granted || covers(parseScopes(granted.join(" ")), parseScopes(asked.join(" ")))) return {};
  const message = `the token for ${host} does not have all that was asked for`;
  return { refused: new RegistryError("DENIED", message, { host }) };
}

function challengeOf({ bearer }: Way): NonNullable<AccessTrace["challenge"]> {
  if (!bearer) return { scheme: "basic" };
  const { realm, service } = bearer;
  const shown = `${realm.protocol}//${realm.host}${realm.pathname}`;
  return { scheme: "bearer", realm: shown, ...(service !== undefined && { service }) };
}

async function prove(
  { transport, isInsecure, clock = systemClock }: Admission,
  { url, method }: Req,
  way: Way,
  { repository, push }: Wish,
  credential: Credential | undefined,
): Promise<{ readonly authorization: Secret } & Pick<AccessTrace, "asked" | "granted" | "expiresAt">> {
  if (credential) checkPlain(url, isInsecure);
  if (credential?.kind === "bearer") return bearer(credential.token);
  if (!way.bearer) {
    const header = credential?.kind === "basic" ? basicHeader(credential) : undefined;
    if (header !== undefined) return { authorization: new Secret(header) };
    const why = credential
      ? "wants a user and password, not an identity token"
      : "gives nothing to who is not logged in";
    throw new RegistryError("UNAUTHORIZED", `${url.host} ${why}`, { host: url.host, status: 401 });
  }
  checkRealm(url, way.bearer.realm, credential !== undefined, isInsecure);
  const own: Scopes = push
    ? new Map([[`repository:${repository}`, new Set(["pull", "push"])]])
    : scopesOf({ method, url });
  const scopes = union(own, way.scopes);
  const token = await fetchToken(transport, way.bearer, { scopes, credential }, clock);
  return { ...bearer(token.text, token), asked: formatScopes(scopes) };
}

function bearer(
  text: Secret,
  token?: Token,
): { readonly authorization: Secret } & Pick<AccessTrace, "granted" | "expiresAt"> {
  const claims = claimsOf(text);
  const granted = claims?.access ?? token?.granted;
  const expiresAt = claims?.expires ?? token?.expiresAt;
  return {
    authorization: new Secret(`Bearer ${text.reveal()}`),
    ...(granted && { granted: formatScopes(granted) }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
