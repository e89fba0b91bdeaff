import { isRegistryError, RegistryError } from "../../oci/error.ts";
import { apiHost } from "../../oci/reference.ts";
import type { Call } from "../../store/store.ts";
import { jsonApi, type JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { nobody, type Account, type Accounts } from "./account.ts";
import { faultOf } from "./faults.ts";

const apis = {
  registry: {
    host: "artifactregistry.googleapis.com",
    title: "Artifact Registry",
    variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY",
  },
  analysis: {
    host: "containeranalysis.googleapis.com",
    title: "Artifact Analysis",
    variable: "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINERANALYSIS",
  },
} as const;

/** Opens one of Google's APIs, its paths below `/v1/`, with the login that is for a path of the registry. */
export type GoogleApis = (api: keyof typeof apis, path: string, call?: Call) => Promise<JsonApi>;

/** Google's APIs for a registry: where the user, or the variables of gcloud, say that they are. Throws UNAUTHORIZED. */
export function googleApis(context: ServiceContext, accounts: Accounts): GoogleApis {
  return async (name, path, call) => {
    const { host, title, variable } = apis[name];
    const account = await accounts(path, call);
    if (!account) throw nobody(context.host);
    const own = name === "registry" ? context.api(context.host) : undefined;
    const address = own ?? context.api(host) ?? context.env[variable] ?? `https://${host}`;
    const api = jsonApi({
      transport: context.transport,
      base: new URL(`${baseOf(address, title).replace(/\/+$/, "")}/v1`),
      title,
      isInsecure: context.isInsecure,
      headers: () => ({ authorization: `Bearer ${account.token.reveal()}` }),
      error: faultOf,
    });
    return attributed(api, account);
  };
}

function baseOf(address: string, title: string): string {
  const url = URL.parse(address.includes("://") ? address : `https://${address}`);
  if (url && /^https?:$/.test(url.protocol) && url.username === "") return `${url.origin}${url.pathname}`;
  throw new RegistryError("INVALID", `the address given for the API of ${title} is no URL`);
}

/** A refusal says whose login it is about. */
function attributed(api: JsonApi, { origin }: Account): JsonApi {
  const attribute = (error: unknown): unknown =>
    isRegistryError(error, "DENIED", "UNAUTHORIZED") ? error.with({ credential: origin }) : error;
  return {
    send: (...args) =>
      api.send(...args).catch((error: unknown) => {
        throw attribute(error);
      }),
    async *pages(...args) {
      try {
        yield* api.pages(...args);
      } catch (error) {
        throw attribute(error);
      }
    },
  };
}

/** The registry itself, which knows more than the distribution API; its login is that of all requests to it. */
export function registryApi({ host, authenticated, isInsecure }: ServiceContext): JsonApi {
  return jsonApi({
    transport: ({ anonymous: _anonymous, ...request }) => authenticated(request),
    base: new URL(`https://${apiHost(host)}/v2`),
    title: host,
    isInsecure,
    error: faultOf,
  });
}

/** Where the next page of Google's lists is. */
export function nextPage({ body }: { readonly body: unknown }): Readonly<Record<string, string>> | undefined {
  const token = (body as { readonly nextPageToken?: unknown } | undefined)?.nextPageToken;
  return typeof token === "string" && token !== "" ? { pageToken: token } : undefined;
}
