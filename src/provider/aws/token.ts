import type { Credential } from "../../auth/credential.ts";
import { Secret } from "../../auth/secret.ts";
import { RegistryError } from "../../oci/error.ts";
import type { CredentialContext } from "../provider.ts";
import { renewed } from "./renewed.ts";
import { shared } from "./shared.ts";

/** What GetAuthorizationToken gives, and by whose login, for people. */
export interface AuthorizationToken {
  readonly authorizationToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
  readonly origin: string;
}

/**
 * A registry's login from AWS, kept until shortly before it expires; that there is none is kept for a minute. `key` tells
 * apart what different tokens are for. Throws UNAUTHORIZED where what AWS gave is no token.
 */
export function registryLogin(
  { transport, clock }: CredentialContext,
  key: string,
  get: () => Promise<AuthorizationToken | undefined>,
): (signal?: AbortSignal) => Promise<Credential | undefined> {
  return shared(transport, `token ${key}`, () =>
    renewed(clock, async () => {
      const token = await get();
      return { value: token && credentialOf(token), expires: token ? token.expiresAt?.getTime() : 0 };
    }),
  );
}

function credentialOf({ authorizationToken = "", origin }: AuthorizationToken): Credential {
  const text = Buffer.from(authorizationToken, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw new RegistryError("UNAUTHORIZED", `AWS gave an authorization token that is none, to ${origin}`);
  return { kind: "basic", username: text.slice(0, colon), password: new Secret(text.slice(colon + 1)), origin };
}
