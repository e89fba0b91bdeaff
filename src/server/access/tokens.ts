import { createHmac, randomUUID } from "node:crypto";
import type { JWTPayload } from "jose";
import type { Entries } from "./htpasswd.ts";
import { type AccessClaim, fromClaims, type Rights, toClaims } from "./scope.ts";

/** A user, and the htpasswd entry they proved themselves by: another password is another identity. */
export interface Identity {
  readonly user: string;
  readonly hash: string;
}

/** What an access token of ours says; without an identity it is the anonymous' own. */
export interface Pass {
  readonly identity?: Identity;
  readonly rights: Rights;
  readonly service: string;
  /** When it stops being accepted, in milliseconds since 1970; clocks that differ are allowed for. */
  readonly until: number;
}

/** Issues and reads tokens. What is not a token of ours for this service, in time, of a user unchanged, reads undefined. */
export interface Tokens {
  issue(
    pass: Omit<Pass, "until">,
  ): Promise<{ readonly token: string; readonly lifetime: number; readonly issued: Date }>;
  read(token: string, service: string): Promise<Pass | undefined>;
  /** A token to get access tokens by instead of the password, good until the user is removed or the password changed. */
  issueRefresh(identity: Identity, service: string): Promise<string>;
  readRefresh(token: string, service: string): Promise<Identity | undefined>;
}

const issuer = "gantry";
const algorithm = "HS256";
const kinds = { access: "at+jwt", refresh: "rt+jwt" } as const;
/** Seconds. Every request is judged anew by user and grants, so a long life costs nothing but a stolen token's. */
const accessLifetime = 900;
const refreshLifetime = 90 * 24 * 3600;
const leeway = 60;

/**
 * Signs with one symmetric key: who checks is who issues, so there is no public key to mistake for a secret. Only the
 * algorithm, kind, issuer and audience set here are accepted; keys or key names in a token's header are not looked at.
 */
export function tokens({
  key,
  entries,
  now,
}: {
  readonly key: () => Promise<Uint8Array>;
  readonly entries: () => Entries;
  readonly now: () => number;
}): Tokens {
  const sign = async (
    kind: keyof typeof kinds,
    { identity, service, lifetime, issued, ...claims }: SignOptions,
  ): Promise<string> => {
    const { SignJWT } = await import("jose");
    const secret = await key();
    const seconds = Math.floor(issued / 1000);
    const jwt = new SignJWT({ ...claims, ...(identity && { credential: fingerprint(secret, identity) }) })
      .setProtectedHeader({ alg: algorithm, typ: kinds[kind] })
      .setIssuer(issuer)
      .setAudience(service)
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + lifetime);
    if (identity) jwt.setSubject(identity.user);
    return await jwt.sign(secret);
  };

  const verify = async (kind: keyof typeof kinds, token: string, service: string): Promise<Verified | undefined> => {
    const { errors, jwtVerify } = await import("jose");
    const secret = await key();
    const form = { algorithms: [algorithm], typ: kinds[kind], issuer, audience: service };
    const clock = { clockTolerance: leeway, currentDate: new Date(now()), requiredClaims: ["exp", "nbf", "iat"] };
    try {
      const { payload } = await jwtVerify<Claims>(token, secret, { ...form, ...clock });
      const { sub: user, credential } = payload;
      if (user === undefined) return { payload };
      const hash = entries().get(user);
      if (hash === undefined || fingerprint(secret, { user, hash }) !== credential) return undefined;
      return { payload, identity: { user, hash } };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };

  return {
    issue: async ({ identity, rights, service }) => {
      const issued = now();
      const access = toClaims(rights);
      const token = await sign("access", { identity, service, lifetime: accessLifetime, issued, access });
      return { token, lifetime: accessLifetime, issued: new Date(issued) };
    },
    read: async (token, service) => {
      const verified = await verify("access", token, service);
      if (!verified) return undefined;
      const { payload, identity } = verified;
      const until = ((payload.exp ?? 0) + leeway) * 1000;
      return { rights: fromClaims(payload.access ?? []), service, until, ...(identity && { identity }) };
    },
    issueRefresh: async (identity, service) =>
      await sign("refresh", { identity, service, lifetime: refreshLifetime, issued: now() }),
    readRefresh: async (token, service) => (await verify("refresh", token, service))?.identity,
  };
}

interface Claims extends JWTPayload {
  readonly access?: readonly AccessClaim[];
  /** Ties the token to the user's entry without giving it away. */
  readonly credential?: string;
}

interface Verified {
  readonly payload: Claims;
  readonly identity?: Identity;
}

interface SignOptions {
  readonly identity: Identity | undefined;
  readonly service: string;
  readonly lifetime: number;
  readonly issued: number;
  readonly access?: readonly AccessClaim[];
}

function fingerprint(key: Uint8Array, { user, hash }: Identity): string {
  return createHmac("sha256", key).update(`${user}\0${hash}`).digest("base64url").slice(0, 22);
}
