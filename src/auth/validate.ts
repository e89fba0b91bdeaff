import { RegistryError } from "../oci/error.ts";
import { apiHost } from "../oci/reference.ts";
import { systemClock, type Clock } from "../transport/clock.ts";
import type { IsInsecure } from "../transport/origin.ts";
import { discard, type Req, type Res, type Transport } from "../transport/transport.ts";
import { basicHeader, type Credential, type CredentialSource } from "./credential.ts";
import type { Secret } from "./secret.ts";
import { fetchToken } from "./token.ts";
import { checkPlain, checkRealm, wayOf, type Way } from "./way.ts";

/** What it takes to be let in: the way to registries, the places where credentials are kept, and what the user waived. */
export interface Admission {
  /** Adds no login, and follows no redirect: what proves who we are would go along. */
  readonly transport: Transport;
  /** In the order in which they are asked. */
  readonly credentials: readonly CredentialSource[];
  readonly isInsecure?: IsInsecure;
  readonly clock?: Clock;
}

/** What a registry made of a credential. */
export interface Validation {
  /** How it wants credentials; `none` where it asks nobody, and so proves nothing about the one it was shown. */
  readonly scheme: "basic" | "bearer" | "none";
  /** What to keep in place of the password, where it was asked for and the token service issues such. */
  readonly identity?: Secret;
}

/**
 * Shows a credential to a registry (`host[:port]`) by the API's version check, which touches no repository. Throws
 * UNAUTHORIZED where it is not accepted, and what the network throws; with `offline` an identity token is asked for too.
 */
export async function validateCredential(
  { transport, isInsecure, clock = systemClock }: Omit<Admission, "credentials">,
  host: string,
  credential: Credential,
  { offline = false, signal }: { readonly offline?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Validation> {
  const url = new URL(`https://${apiHost(host)}/v2/`);
  const ask = async (headers: Req["headers"]): Promise<Res> => {
    const response = await transport({ method: "GET", url, headers, anonymous: true, ...(signal && { signal }) });
    await discard(response);
    return response;
  };
  const first = await ask({});
  const way = wayOf(url, first);
  if (!way) {
    if (first.status === 200) return { scheme: "none" };
    throw unexpected(url.host, first.status);
  }
  checkPlain(url, isInsecure);
  const bearer = credential.kind === "bearer" ? undefined : way.bearer;
  if (bearer) checkRealm(url, bearer.realm, true, isInsecure);
  const token = bearer && (await fetchToken(transport, bearer, { scopes: new Map(), credential, offline }, clock));
  const authorization = token ? `Bearer ${token.text.reveal()}` : proofOf(credential, way, url.host);
  const { status } = await ask({ authorization });
  if (status === 401 || status === 403) throw refused(url.host, status, credential);
  if (status !== 200) throw unexpected(url.host, status);
  return { scheme: way.bearer ? "bearer" : "basic", ...(token?.identity && { identity: token.identity }) };
}

/** What a credential is sent as where no token is to be had for it. */
function proofOf(credential: Credential, { basic }: Way, host: string): string {
  if (credential.kind === "bearer") return `Bearer ${credential.token.reveal()}`;
  if (basic && credential.kind === "basic") return basicHeader(credential)!;
  throw new RegistryError("UNAUTHORIZED", `${host} wants a user and password, not an identity token`, { host });
}

function refused(host: string, status: number, credential: Credential): RegistryError {
  const what =
    credential.kind === "basic" ? `the user ${JSON.stringify(credential.username)} or the password` : "the token";
  return new RegistryError("UNAUTHORIZED", `${host} does not accept ${what}`, {
    host,
    status,
    credential: credential.origin,
  });
}

function unexpected(host: string, status: number): RegistryError {
  const busy = status === 429 || status >= 500;
  return new RegistryError(
    status === 429 ? "TOOMANYREQUESTS" : busy ? "UNAVAILABLE" : "UNSUPPORTED",
    `${host} answered ${status} to the version check of the registry API (/v2/)`,
    { host, status, retryable: busy, ...(!busy && { hint: "see whether that is a registry, and its name right" }) },
  );
}
