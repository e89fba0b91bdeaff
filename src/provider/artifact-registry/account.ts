import type { Credential } from "../../auth/credential.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Secret } from "../../auth/secret.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import { buyToken, type GoogleToken } from "./google-token.ts";
import { parseKeyFile } from "./key-file.ts";

/** Who speaks to Google's APIs. */
export interface Account {
  readonly token: Secret;
  readonly origin?: string;
}

/** Finds who speaks for a path; undefined where nobody is logged in. */
export type Accounts = (path: string, call?: Call) => Promise<Account | undefined>;

const margin = 60_000;
const isTokenUser = (user: string): boolean => /^(?:oauth2accesstoken|_token|_dcgcr_[\d_]+_token)$/.test(user);

/** The logins for the registry, as Google's APIs take them: access tokens, and keys, for which tokens are bought. */
export function accountsOf(context: ServiceContext): Accounts {
  const bought = new Map<string, Promise<GoogleToken>>();
  const buy = async (key: string, origin: string, { signal }: Call = {}): Promise<GoogleToken> => {
    const known = await bought.get(key)?.catch(() => undefined);
    if (known && known.expires - margin > context.clock.now()) return known;
    const fresh = buyToken(parseKeyFile(key, origin), context, signal);
    bought.set(key, fresh);
    return fresh;
  };
  return async (path, call) => {
    const credential = await context.credential(path, call);
    if (!credential) return undefined;
    const origin = credential.origin === undefined ? {} : { origin: credential.origin };
    if (credential.kind === "bearer") return { token: credential.token, ...origin };
    if (credential.kind === "basic" && isTokenUser(credential.username)) {
      return { token: credential.password, ...origin };
    }
    const key = keyIn(credential);
    if (key === undefined) throw unfit(context.host, credential.origin);
    return { token: (await buy(key, credential.origin ?? "the login", call)).token, ...origin };
  };
}

/** The key of a service account, which the registry takes for a password. */
function keyIn(credential: Credential): string | undefined {
  if (credential.kind !== "basic") return undefined;
  const { username, password } = credential;
  if (username === "_json_key") return password.reveal();
  return username === "_json_key_base64" ? Buffer.from(password.reveal(), "base64").toString() : undefined;
}

function unfit(host: string, origin: string | undefined): RegistryError {
  return new RegistryError("UNAUTHORIZED", `the login for ${host} is none that Google's API takes`, {
    host,
    ...(origin !== undefined && { credential: origin }),
    hint: "log in as oauth2accesstoken with an access token, or as _json_key with the key of a service account",
  });
}

/** The error where nobody is logged in. */
export function nobody(host: string): RegistryError {
  return new RegistryError("UNAUTHORIZED", `nobody is logged in to Google for ${host}`, {
    host,
    hint: "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
  });
}
