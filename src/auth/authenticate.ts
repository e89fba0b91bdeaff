import { systemClock, type Clock } from "../transport/clock.ts";
import type { IsInsecure } from "../transport/origin.ts";
import { discard, type Middleware, type Req, type Res, type Transport } from "../transport/transport.ts";
import { basicHeader, type Credential, type CredentialSource } from "./credential.ts";
import { peekExpired } from "./expired.ts";
import { endOf } from "./remembered.ts";
import { scopesOf, subjectOf, union, type Scopes } from "./scopes.ts";
import { tokenCache, type TokenCache } from "./token-cache.ts";
import { fetchToken, type Token, type TokenService } from "./token.ts";
import { until } from "./until.ts";
import { checkPlain, checkRealm, wayOf, type Way } from "./way.ts";

export interface AuthSettings {
  readonly credentials?: CredentialSource;
  readonly isInsecure?: IsInsecure;
  readonly clock?: Clock;
}

/** What is known of one host. */
interface Host {
  readonly tokens: TokenCache;
  readonly credentials: Map<string, Promise<Credential | undefined>>;
  way?: Way;
  /** Whether a request was let through as it was: the next may be too. */
  open?: boolean;
  /** Done once, where the very first request has a body: asking what the host wants. */
  asking?: Promise<void>;
}

/** The Authorization header of a request, the token that is in it, and whose it is. */
interface Proof {
  readonly authorization: string;
  readonly token?: Token;
  readonly credential?: Credential | undefined;
}

/**
 * Answers challenges: with Basic credentials, or with tokens for what the request's method and path need. What a host
 * wants is remembered, so that later requests carry it at once; a request is sent again once at most. Nothing is added
 * to `anonymous` requests, nor where it could be read on the way.
 */
export function authenticate(settings: AuthSettings = {}): Middleware {
  const hosts = new Map<string, Host>();
  const hostFor = (url: URL): Host => {
    const found = hosts.get(url.host) ?? { tokens: tokenCache(), credentials: new Map() };
    hosts.set(url.host, found);
    return found;
  };
  return (next) => {
    const session = sessionOver(next, settings);
    return async (request) => {
      if (request.anonymous || request.headers["authorization"] !== undefined) return next(request);
      const host = hostFor(request.url);
      if (request.body && !host.way && !host.open) await session.ask(host, request);
      const proof = host.way && (await session.prove(host, host.way, request));
      const { isExpired, response } = await answerTo(request, proof, next);
      const way = wayOf(request.url, response) ?? (isExpired ? host.way : undefined);
      if (!way) {
        host.open = true;
        return named(response, proof);
      }
      host.way = way;
      const better = await session.improve(host, way, request, proof);
      if (!better) return named(response, proof);
      await discard(response);
      return named(await next(proven(request, better)), better);
    };
  };
}

function proven(request: Req, proof: Proof | undefined): Req {
  return proof ? { ...request, headers: { ...request.headers, authorization: proof.authorization } } : request;
}

/** The answer to a request, and whether it may mean that the user and password that were sent are too old. */
async function answerTo(request: Req, proof: Proof | undefined, next: Transport): ReturnType<typeof peekExpired> {
  const response = await next(proven(request, proof));
  const isBasic = proof?.credential?.kind === "basic" && !proof.token;
  return isBasic ? peekExpired(request.method, response) : { isExpired: false, response };
}

/** A refusal says whose credential it is about. */
function named(response: Res, proof: Proof | undefined): Res {
  const refused = response.status === 401 || response.status === 403;
  const origin = proof?.credential?.origin;
  return refused && origin !== undefined ? { ...response, credential: origin } : response;
}

interface Session {
  /** Learns the way of a host by a request without a body. */
  ask(host: Host, request: Req): Promise<void>;
  /** What to send along, going by what is known; nothing where there is nothing to send. */
  prove(host: Host, way: Way, request: Req, extra?: Scopes): Promise<Proof | undefined>;
  /** What to send after `proof` was refused; nothing where it would be the same again. */
  improve(host: Host, way: Way, request: Req, proof: Proof | undefined): Promise<Proof | undefined>;
}

function sessionOver(next: Transport, { credentials, isInsecure, clock = systemClock }: AuthSettings): Session {
  const find = async (host: Host, request: Req): Promise<Credential | undefined> => {
    const path = subjectOf(request);
    const known = host.credentials.get(path);
    const found = known ?? credentials?.find(request.url.host, path) ?? Promise.resolve(undefined);
    host.credentials.set(path, found);
    found.catch(() => host.credentials.delete(path));
    const credential = await until(found, request.signal);
    if (!known || clock.now() < endOf(credential)) return credential;
    // Of all that notice, the first asks anew.
    if (host.credentials.get(path) === known) host.credentials.delete(path);
    return find(host, request);
  };
  const obtain = (
    host: Host,
    service: TokenService,
    request: Req,
    credential: Credential | undefined,
    scopes: Scopes,
  ): Promise<Token> => {
    checkRealm(request.url, service.realm, credential !== undefined, isInsecure);
    const send: Transport = request.brief ? (asked) => next({ ...asked, brief: true }) : next;
    const fetch = (): Promise<Token> => fetchGranted(send, service, scopes, credential, clock);
    return until(host.tokens.obtain(scopes, clock.now(), fetch), request.signal);
  };
  const prove: Session["prove"] = async (host, way, request, extra) => {
    const credential = await find(host, request);
    if (credential) checkPlain(request.url, isInsecure);
    if (credential?.kind === "bearer") return { authorization: `Bearer ${credential.token.reveal()}`, credential };
    if (way.bearer) {
      const scopes = extra ? union(scopesOf(request), extra) : scopesOf(request);
      const token = await obtain(host, way.bearer, request, credential, scopes);
      return { authorization: `Bearer ${token.text.reveal()}`, token, credential };
    }
    return credential?.kind === "basic" ? { authorization: basicHeader(credential)!, credential } : undefined;
  };
  return {
    prove,
    async ask(host, request) {
      host.asking ??= askWay(next, host, request).catch((error: unknown) => {
        delete host.asking;
        throw error;
      });
      await until(host.asking, request.signal);
    },
    async improve(host, way, request, proof) {
      if (proof?.token && !way.insufficient) host.tokens.drop(proof.token);
      if (proof) host.credentials.delete(subjectOf(request));
      const better = await prove(host, way, request, way.scopes);
      return better?.authorization === proof?.authorization ? undefined : better;
    },
  };
}

async function askWay(next: Transport, host: Host, { url }: Req): Promise<void> {
  const question: Req = { method: "GET", url: new URL("/v2/", url), headers: {}, anonymous: true };
  const response: Res = await next(question);
  const way = wayOf(question.url, response);
  if (way) host.way ??= way;
  await discard(response);
}

/** A token for all scopes or, where the service refuses them together, for the first: to mount from elsewhere is a wish. */
async function fetchGranted(
  next: Transport,
  service: TokenService,
  scopes: Scopes,
  credential: Credential | undefined,
  clock: Clock,
): Promise<Token> {
  try {
    return await fetchToken(next, service, { scopes, credential }, clock);
  } catch (error) {
    const [first] = scopes;
    if (!first || scopes.size === 1 || !isRefusal(error)) throw error;
    const token = await fetchToken(next, service, { scopes: new Map([first]), credential }, clock);
    return { ...token, scopes };
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "status" in error && (error.status === 401 || error.status === 403);
}
