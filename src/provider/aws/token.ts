import type { Credential } from "../../auth/credential.ts";
import { Secret } from "../../auth/secret.ts";
import { RegistryError } from "../../oci/error.ts";
import type { CredentialContext } from "../provider.ts";
import { early, renewed, type Passing } from "./renewed.ts";
import { shared } from "./shared.ts";

/** What GetAuthorizationToken gives. */
export interface AuthorizationToken {
  readonly authorizationToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

/**
 * A registry's login from AWS, kept until shortly before it expires; that there is none is kept for a minute. `key` tells
 * apart what different tokens are for.
 */
export function registryLogin(
  { transport, clock }: CredentialContext,
  key: string,
  get: () => Promise<Passing<Credential> | undefined>,
): (signal?: AbortSignal) => Promise<Credential | undefined> {
  return shared(transport, `token ${key}`, () =>
    renewed<Credential | undefined>(clock, async () => (await get()) ?? { value: undefined, expires: 0 }),
  );
}

/** The login that is in a token, which `origin` got, for people. Throws UNAUTHORIZED where it is none. */
export function readToken(
  { authorizationToken = "", expiresAt }: AuthorizationToken = {},
  origin: string,
): Passing<Credential> {
  const text = Buffer.from(authorizationToken, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw new RegistryError("UNAUTHORIZED", `what AWS gave to ${origin} is no token`);
  const password = new Secret(text.slice(colon + 1));
  const expires = expiresAt?.getTime();
  const value: Credential = { kind: "basic", username: text.slice(0, colon), password, origin };
  return { value: expires === undefined ? value : { ...value, expires: expires - early }, expires };
}
