import { claimsOf } from "../../auth/claims.ts";
import type { Credential, CredentialSource } from "../../auth/credential.ts";
import { Secret } from "../../auth/secret.ts";
import { until } from "../../auth/until.ts";
import { isObject } from "../../oci/descriptor.ts";
import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { apiHost } from "../../oci/reference.ts";
import { jsonApi } from "../json-api.ts";
import type { CredentialContext } from "../provider.ts";
import { cloudOf, isRegistryHost, registryAudience } from "./cloud.ts";
import { registryFault } from "./faults.ts";
import { azureTokens, isOfAudience, type AzureToken } from "./tokens.ts";

/** How long before it expires a login is fetched anew, how long one is kept that does not say, and how long none. */
const renewBefore = 5 * 60_000;
const unknownLife = 30 * 60_000;
const absence = 60_000;

interface Entry {
  readonly found: Promise<Credential | undefined>;
  /** When it is to be looked for again, in milliseconds since 1970. */
  until: number;
}

/**
 * The machine's logins to Azure, exchanged for the registry's own refresh tokens. One that does not work is a warning and
 * none, for a registry may let everybody pull; what may work later is thrown.
 */
export function acrCredentials(context: CredentialContext): CredentialSource {
  const { clock } = context;
  const entries = new Map<string, Entry>();
  const look = (host: string): Entry => {
    const found = find(context, host).catch((error: unknown) => {
      if (!isRegistryError(error) || error.retryable) throw error;
      context.onWarning?.(`${error.message}${error.hint ? ` (${error.hint})` : ""}`);
      return undefined;
    });
    const entry: Entry = { found, until: Infinity };
    entries.set(host, entry);
    found.then(
      (credential) => (entry.until = credential ? goodUntil(credential, clock.now()) : clock.now() + absence),
      () => entries.delete(host),
    );
    return entry;
  };
  return {
    name: "the logins of Azure",
    async find(host, _path, signal) {
      const known = entries.get(host);
      const entry = known && known.until > clock.now() ? known : look(host);
      return until(entry.found, signal);
    },
  };
}

function goodUntil(credential: Credential, now: number): number {
  const expires = credential.kind === "identity" ? claimsOf(credential.token)?.expires : undefined;
  // Where the clocks differ, one may have run out when it comes: it is not fetched for each request.
  return expires === undefined ? now + unknownLife : Math.max(expires - renewBefore, now + absence);
}

async function find(context: CredentialContext, host: string): Promise<Credential | undefined> {
  const cloud = cloudOf(host);
  const tokens = azureTokens(context, cloud);
  // A token for all of Azure's management is for the service's own hosts alone.
  const audiences = isRegistryHost(host) ? [registryAudience, cloud.management] : [registryAudience];
  let failure: RegistryError | undefined;
  for (const audience of audiences) {
    try {
      const token = await tokens.obtain(audience);
      return token && (await exchange(context, host, token));
    } catch (error) {
      if (!isRegistryError(error) || !mayFitAnother(error)) throw error;
      failure ??= error;
    }
  }
  throw failure!;
}

/** Whether a token for another audience may do: a registry can be set to take but one. */
function mayFitAnother(error: RegistryError): boolean {
  return isOfAudience(error) || error.status === 401;
}

/** Buys a refresh token of the registry for a token of Entra ID (Azure/acr, docs/AAD-OAuth.md). */
async function exchange(
  { transport, isInsecure, env }: CredentialContext,
  host: string,
  { token, origin }: AzureToken,
): Promise<Credential> {
  const tenant = env["AZURE_TENANT_ID"];
  const api = jsonApi({
    transport,
    base: new URL(`https://${apiHost(host)}`),
    title: host,
    isInsecure,
    error: (answer) =>
      answer.status === 401
        ? {
            hint: `the registry may be of another tenant${tenant ? ` than AZURE_TENANT_ID says (${tenant})` : ""}, or give this login no role: AcrPull or Container Registry Repository Reader`,
          }
        : registryFault(answer),
  });
  const form = new URLSearchParams({
    grant_type: "access_token",
    service: apiHost(host),
    ...(tenant && { tenant }),
    access_token: token.reveal(),
  });
  const what = `log in to ${host} with the login of Azure from ${origin}`;
  const { body } = await api.send("POST", "/oauth2/exchange", {
    body: form.toString(),
    secrets: [token],
    what,
  });
  const refresh = isObject(body) ? body["refresh_token"] : undefined;
  if (typeof refresh === "string" && refresh !== "") return { kind: "identity", token: new Secret(refresh), origin };
  throw new RegistryError("UNAUTHORIZED", `cannot ${what}: it sent no refresh token`, { host, credential: origin });
}
