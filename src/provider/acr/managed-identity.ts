import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { jsonApi, type JsonApi } from "../json-api.ts";
import type { CredentialContext } from "../provider.ts";
import type { TokenSource } from "./logins.ts";

/** Where Azure tells its machines what they have to know, in plain HTTP inside the machine. */
export const metadataService = "http://169.254.169.254";
const renewBefore = 5 * 60_000;
/** It is next door: who waits longer, in milliseconds, waits in vain. */
const patience = 5000;

/**
 * The tokens of the identity that Azure gave a machine or, where IDENTITY_ENDPOINT and IDENTITY_HEADER say where, an app.
 * By our own two requests: Azure's library keeps the first network that it was given, and its tokens, for as long as the
 * process lives.
 */
export function managedIdentity(context: CredentialContext): TokenSource {
  const { env, clock } = context;
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = env;
  const known = new Map<string, { readonly token: string; readonly expires: number }>();
  const ask = endpoint && header ? appService(context, endpoint, header) : machine(context);
  return {
    async getToken(scope) {
      const resource = scope.replace(/\/\.default$/, "");
      const kept = known.get(resource);
      if (kept && kept.expires - renewBefore > clock.now()) return kept;
      const { access_token: token, expires_on: expires } = await ask(resource);
      if (typeof token !== "string" || token === "") {
        throw new RegistryError("UNAUTHORIZED", "the service that gives out identities sent no token");
      }
      const fresh = { token, expires: Number(expires) * 1000 || 0 };
      known.set(resource, fresh);
      return fresh;
    },
  };
}

type Ask = (resource: string) => Promise<Readonly<Record<string, unknown>>>;

/** "How to use managed identities on an Azure VM to acquire an access token", API version 2018-02-01. */
function machine(context: CredentialContext): Ask {
  const api = apiAt(context, new URL(metadataService), { metadata: "true" });
  return async (resource) =>
    read(context, api, "/metadata/identity/oauth2/token", { "api-version": "2018-02-01", resource });
}

/** "How to use managed identities for App Service and Azure Functions", API version 2019-08-01. */
function appService(context: CredentialContext, endpoint: string, header: string): Ask {
  if (!URL.canParse(endpoint)) throw new RegistryError("INVALID", "IDENTITY_ENDPOINT is no URL");
  const url = new URL(endpoint);
  const api = apiAt(context, new URL(url.origin), { "x-identity-header": header });
  return async (resource) => read(context, api, url.pathname, { "api-version": "2019-08-01", resource });
}

function apiAt(
  { transport, isInsecure }: CredentialContext,
  base: URL,
  headers: Readonly<Record<string, string>>,
): JsonApi {
  return jsonApi({
    transport,
    base,
    title: "the service that gives out identities",
    isInsecure,
    headers: () => headers,
  });
}

async function read(
  { env, clock }: CredentialContext,
  api: JsonApi,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const clientId = env["AZURE_CLIENT_ID"] || undefined;
  const [late, done] = [new AbortController(), new AbortController()];
  clock.sleep(patience, done.signal).then(
    () => late.abort(),
    () => {},
  );
  try {
    const request = { query: { ...query, client_id: clientId }, what: "get a token", signal: late.signal };
    const { body } = await api.send("GET", path, request);
    return isObject(body) ? body : {};
  } catch (error) {
    if (!late.signal.aborted) throw error;
    throw new RegistryError(
      "TIMEOUT",
      `the service that gives out identities sent no token within ${patience / 1000} s`,
      {
        cause: error,
      },
    );
  } finally {
    done.abort();
  }
}
