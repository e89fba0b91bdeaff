import { describe, expect, test } from "vitest";
import { acr } from "../../src/provider/acr/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { systemClock } from "../../src/transport/clock.ts";
import { client, json, network, tenant } from "./acr-support.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

const host = "myregistry.azurecr.io";
const specs =
  "https://github.com/Azure/azure-rest-api-specs/tree/main/specification/containerregistry/resource-manager";
const page = `${specs}/Microsoft.ContainerRegistry/stable/2023-07-01/examples`;
const id =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myResourceGroup/providers/Microsoft.ContainerRegistry/registries/myRegistry";
const arm = "https://management.azure.com";
const version = "api-version=2023-07-01";
const env = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: "s3cret-of-azure" };

const found: Exchange = {
  page: "https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources",
  method: "POST",
  url: `${arm}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01`,
  sends: {
    query: `resources | where type =~ 'microsoft.containerregistry/registries' | where properties.loginServer =~ '${host}' | project id`,
  },
  answer: { totalRecords: 1, count: 1, data: [{ id }], facets: [], resultTruncated: "false" },
};

function registry(sku: string, retentionPolicy: object, provisioningState = "Succeeded"): Exchange {
  return {
    page: `${page}/RegistryGet.json`,
    url: `${arm}${id}?${version}`,
    answer: {
      id,
      name: "myRegistry",
      type: "Microsoft.ContainerRegistry/registries",
      location: "westus",
      sku: { name: sku, tier: sku },
      properties: { loginServer: host, provisioningState, policies: { retentionPolicy } },
    },
  };
}

const patch = (retentionPolicy: object, more: Partial<Exchange> = {}): Exchange => ({
  page: `${page}/RegistryUpdate.json`,
  method: "PATCH",
  url: `${arm}${id}?${version}`,
  sends: { properties: { policies: { retentionPolicy } } },
  answer: {},
  ...more,
});

interface Scene {
  readonly service: ServiceRegistry;
  readonly asked: readonly string[];
  readonly sent: readonly Readonly<Record<string, string>>[];
}

async function scene(exchanges: readonly Exchange[], more: object = {}): Promise<Scene> {
  const { transport: azure, asked, sent } = recorded(...exchanges);
  const { transport } = network({
    "login.microsoftonline.com": async () =>
      json(200, { token_type: "Bearer", expires_in: 3600, access_token: "aad-for-arm" }),
    "management.azure.com": azure,
  });
  return { service: await acr.connect(serviceContext(host, { transport, env, ...more })), asked, sent };
}

describe("the retention policy", () => {
  test("is read with a login of Azure, of the registry that has the host", async () => {
    const { service, sent } = await scene([
      found,
      registry("Premium", { days: 7, status: "enabled", lastUpdatedTime: "x" }),
    ]);
    expect(await service.lifecycle("team/app")).toEqual({
      dialect: "acr",
      document: { days: 7, status: "enabled" },
      scope: "registry myRegistry",
    });
    expect(new Set(sent.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer aad-for-arm"]));
  });

  test("that is switched off is none", async () => {
    const { service } = await scene([found, registry("Standard", { days: 7, status: "disabled" })]);
    expect(await service.lifecycle("team/app")).toBeUndefined();
  });

  test("is set, and waited for", async () => {
    const slept: number[] = [];
    let state = "Updating";
    const clock = {
      ...systemClock,
      sleep: async (ms: number) => {
        slept.push(ms);
        state = "Succeeded";
      },
    };
    const policy = { days: 30, status: "enabled" };
    const { transport: azure } = recorded(found, patch(policy, { status: 202 }));
    const { transport } = network({
      "login.microsoftonline.com": async () =>
        json(200, { token_type: "Bearer", expires_in: 3600, access_token: "aad" }),
      "management.azure.com": async (request) =>
        request.method === "GET" ? json(200, registry("Premium", policy, state).answer) : azure(request),
    });
    const service = await acr.connect(serviceContext(host, { transport, env, clock }));
    expect(await service.setLifecycle("team/app", { days: 30, status: "enabled" })).toMatchObject({ document: policy });
    expect(slept).toHaveLength(1);
  });

  test("of a registry that is not Premium is refused before it is sent", async () => {
    const { service, asked } = await scene([found, registry("Basic", { days: 7, status: "disabled" })]);
    await expect(service.setLifecycle("team/app", { days: 7, status: "enabled" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("Basic"),
      hint: expect.stringContaining("acr purge"),
    });
    expect(asked.filter((line) => line.startsWith("PATCH"))).toEqual([]);
  });

  test("that fails in Azure is an error", async () => {
    const { service } = await scene([found, registry("Premium", {}, "Failed"), patch({ status: "enabled", days: 7 })]);
    await expect(service.setLifecycle("team/app", { days: 7, status: "enabled" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
  });

  test("is switched off, and only where it is on", async () => {
    const on = await scene([found, registry("Premium", { days: 7, status: "enabled" }), patch({ status: "disabled" })]);
    await on.service.deleteLifecycle("team/app");
    expect(on.asked.filter((line) => line.startsWith("PATCH"))).toHaveLength(1);
    const off = await scene([found, registry("Premium", { days: 7, status: "disabled" })]);
    await off.service.deleteLifecycle("team/app");
    expect(off.asked.filter((line) => line.startsWith("PATCH"))).toEqual([]);
  });
});

test("replications are those of the registry", async () => {
  const { service } = await scene([
    found,
    registry("Premium", {}),
    {
      page: `${page}/ReplicationList.json`,
      url: `${arm}${id}/replications?${version}`,
      answer: {
        value: [
          {
            id: `${id}/replications/myReplication`,
            name: "myReplication",
            location: "eastus",
            properties: { regionEndpointEnabled: true },
          },
          { name: "off", location: "northeurope", properties: { regionEndpointEnabled: false } },
          { name: 7 },
        ],
      },
    },
  ]);
  expect(await Array.fromAsync(service.replication())).toEqual([
    { name: "myReplication", from: "westus", to: "eastus", enabled: true, trigger: "each push" },
    { name: "off", from: "westus", to: "northeurope", enabled: false, trigger: "each push" },
  ]);
});

test("what is left is the storage of the tier", async () => {
  const { service } = await scene([
    found,
    {
      page: `${specs}/Microsoft.ContainerRegistry/stable/2019-05-01/examples/RegistryListUsages.json`,
      url: `${arm}${id}/listUsages?${version}`,
      answer: {
        value: [
          { name: "Size", limit: 107374182400, currentValue: 12345678, unit: "Bytes" },
          { name: "Webhooks", limit: 10, currentValue: 2, unit: "Count" },
        ],
      },
    },
  ]);
  expect(await service.allowances()).toEqual([
    { what: "storage", unit: "bytes", limit: 107374182400, used: 12345678, remaining: 107361836722, source: host },
  ]);
});

describe("Azure Resource Manager", () => {
  test("that does not know the registry is told with what the login lacks", async () => {
    const { service } = await scene([{ ...found, answer: { data: [] } }]);
    await expect(service.lifecycle("app")).rejects.toMatchObject({
      code: "DENIED",
      host,
      hint: expect.stringContaining("Reader"),
    });
  });

  test.each(["https://evil.test/x", `${id}/../../..`, "/subscriptions/x", 7])(
    "that says the registry is %j is not followed",
    async (other) => {
      const { service, asked } = await scene([{ ...found, answer: { data: [{ id: other }] } }]);
      await expect(service.lifecycle("app")).rejects.toMatchObject({ code: "DENIED" });
      expect(asked).toHaveLength(1);
    },
  );

  test("that misses a right names it", async () => {
    const message =
      "The client 'x' with object id 'x' does not have authorization to perform action 'Microsoft.ContainerRegistry/registries/write' over scope 'x'.";
    const { service } = await scene([
      found,
      registry("Premium", {}),
      patch(
        { status: "enabled", days: 7 },
        { status: 403, answer: { error: { code: "AuthorizationFailed", message } } },
      ),
    ]);
    await expect(service.setLifecycle("app", { days: 7, status: "enabled" })).rejects.toMatchObject({
      code: "DENIED",
      message: expect.stringContaining("Microsoft.ContainerRegistry/registries/write"),
      hint: expect.stringContaining("Contributor"),
    });
  });

  test("is not asked without a login of Azure: that of the registry is none", async () => {
    const { service, asked } = await scene([], { env: {} });
    await expect(service.lifecycle("app")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      hint: expect.stringContaining("az login"),
    });
    expect(asked).toEqual([]);
  });

  test("gets no token over a network in plain text", async () => {
    const { service, asked } = await scene([], { api: () => "http://management.example" });
    await expect(service.lifecycle("app")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      message: expect.stringContaining("plain HTTP"),
    });
    expect(asked).toEqual([]);
  });

  test("whose pages lead elsewhere is an error", async () => {
    const { service } = await scene([
      found,
      { page, url: `${arm}${id}/listUsages?${version}`, answer: { value: [], nextLink: "https://evil.test/next" } },
    ]);
    await expect(service.allowances()).rejects.toMatchObject({ code: "NETWORK" });
  });
});
