import { until } from "../../auth/until.ts";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { jsonApi, type JsonAnswer, type JsonApi } from "../json-api.ts";
import type { ServiceContext } from "../provider.ts";
import { entriesOf } from "./attributes.ts";
import { cloudOf, loginServer, registryName } from "./cloud.ts";
import { azureTokens } from "./tokens.ts";

/** A registry as Azure Resource Manager knows it. */
export interface RegistryResource {
  readonly name: string;
  readonly location: string;
  /** `Basic`, `Standard` or `Premium`. */
  readonly sku: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Azure's management of one registry, with the machine's login to Azure: that of the registry is none for it. */
export interface Management {
  read(call?: Call): Promise<RegistryResource>;
  /** Changes properties, and waits until that is done. */
  change(properties: Readonly<Record<string, unknown>>, what: string, call?: Call): Promise<void>;
  /** The entries of a list below the registry: `replications`. */
  list(path: string, what: string, call?: Call): AsyncIterable<Readonly<Record<string, unknown>>>;
}

const version = { "api-version": "2023-07-01" };
const graphVersion = { "api-version": "2022-10-01" };
const resourceId =
  /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/Microsoft\.ContainerRegistry\/registries\/\w+$/i;
/** How often a change is looked at until it is done, and how many milliseconds apart. */
const looks = 60;
const pause = 2000;

export function managementOf(context: ServiceContext): Management {
  const { host, clock } = context;
  const api = managementApi(context);
  let id: Promise<string> | undefined;
  const path = async (call: Call = {}): Promise<string> => {
    // For all who ask: the first of them may give up.
    id ??= findResource(api, host);
    id.catch(() => (id = undefined));
    return until(id, call.signal);
  };
  const read = async (call: Call = {}): Promise<RegistryResource> => {
    const { body } = await api.send("GET", await path(call), {
      ...call,
      query: version,
      what: `read what Azure has of ${host}`,
    });
    return resourceOf(host, body);
  };
  return {
    read,
    async change(properties, what, call = {}) {
      await api.send("PATCH", await path(call), { ...call, query: version, body: { properties }, what });
      for (let look = 0; look < looks; look++) {
        const state = (await read(call)).properties["provisioningState"];
        if (state === undefined || state === "Succeeded") return;
        if (state === "Failed" || state === "Canceled") break;
        await clock.sleep(pause, call.signal);
      }
      throw new RegistryError("UNAVAILABLE", `cannot ${what}: Azure did not get it done`, { host });
    },
    async *list(name, what, call = {}) {
      const pages = api.pages(`${await path(call)}/${name}`, { ...call, query: version, what, next: nextPage });
      for await (const { body } of pages) yield* entriesOf(body, "value");
    },
  };
}

function managementApi(context: ServiceContext): JsonApi {
  const { host, transport, isInsecure } = context;
  const cloud = cloudOf(host);
  const tokens = azureTokens(context, cloud);
  return jsonApi({
    transport,
    base: new URL(context.api(host) ?? cloud.management),
    title: "Azure Resource Manager",
    isInsecure,
    async headers() {
      const token = await tokens.obtain(cloud.management);
      if (token) return { authorization: `Bearer ${token.token.reveal()}` };
      throw new RegistryError(
        "UNAUTHORIZED",
        "Azure Resource Manager wants a login of Azure, and this machine has none",
        {
          host,
          hint: "a login for the registry alone is not enough: `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
        },
      );
    },
    error: ({ status }) =>
      status === 403
        ? { hint: "give the login a role with that action: Container Registry Contributor, or Reader to read" }
        : undefined,
  });
}

/** The resource of a registry: one question for all subscriptions that the login sees. */
async function findResource(api: JsonApi, host: string): Promise<string> {
  const server = loginServer(host);
  const query = `resources | where type =~ 'microsoft.containerregistry/registries' | where ${nameFilter(server)} | project id`;
  const { body } = await api.send("POST", "/providers/Microsoft.ResourceGraph/resources", {
    query: graphVersion,
    body: { query },
    what: `find ${host} in Azure`,
  });
  const id = entriesOf(body, "data")[0]?.["id"];
  if (typeof id === "string" && resourceId.test(id)) return id;
  throw new RegistryError("DENIED", `the login of Azure sees no registry ${registryName(host)}`, {
    host,
    hint: "it needs the role Reader on the registry, and a login of the registry's tenant",
  });
}

/** By what Azure calls the registry's host; nothing but a host gets into the query. */
function nameFilter(server: string): string {
  if (!/^[a-z0-9.:-]+$/.test(server)) throw new RegistryError("INVALID", `${JSON.stringify(server)} is no host`);
  return `properties.loginServer =~ '${server}'`;
}

function resourceOf(host: string, body: unknown): RegistryResource {
  const resource = isObject(body) ? body : {};
  const { name, location, sku, properties } = resource;
  return {
    name: typeof name === "string" ? name : registryName(host),
    location: typeof location === "string" ? location : "",
    sku: isObject(sku) && typeof sku["name"] === "string" ? sku["name"] : "",
    properties: isObject(properties) ? properties : {},
  };
}

function nextPage({ body }: JsonAnswer): string | undefined {
  const next = isObject(body) ? body["nextLink"] : undefined;
  return typeof next === "string" && next !== "" ? next : undefined;
}
