import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import { userPassword } from "../../src/auth/credential.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { acr } from "../../src/provider/acr/provider.ts";
import { isRegistryHost, loginServer } from "../../src/provider/acr/cloud.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { compose, type Req, type Transport } from "../../src/transport/transport.ts";
import { providerContract } from "../contract/provider.ts";
import { respond } from "../transport/support.ts";
import { recorded, serviceContext, silent, type Exchange } from "./support.ts";

const host = "contosoregistry.azurecr.io";
const base = `https://${host}/acr/v1`;
const specs = "https://github.com/Azure/azure-rest-api-specs/tree/main/specification/containerregistry";
const page = `${specs}/data-plane/Azure.ContainerRegistry/stable/2021-07-01/examples`;
const locking = "https://learn.microsoft.com/azure/container-registry/container-registry-image-lock";
const digests = [
  "sha256:110d2b6c84592561338aa040b1b14b7ab81c2f9edbd564c2285dd7d70d777086",
  "sha256:7af5cd1dde3e8f5c2c9103860afa4ca871a6075373b6564b0e7b1b47866dab52",
] as const;
const open = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };

providerContract({
  provider: acr,
  hosts: [
    host,
    "ContosoRegistry.azurecr.io",
    "contosoregistry.azurecr.cn",
    "contosoregistry.azurecr.us",
    "contosoregistry.azurecr.io:443",
    "contosoregistry-abc123def.azurecr.io",
    "contosoregistry.westus2.geo.azurecr.io",
  ],
  lookAlikes: [
    "azurecr.io",
    "www.azurecr.io.evil.test",
    "contosoregistry.azurecr.io.evil.test",
    "contosoregistryazurecr.io",
    "contosoregistry.azurecr.de",
    "contosoregistry.westus2.data.azurecr.io",
    "contosoregistry.evil.azurecr.io",
    "contosoregistry.azurecr.io:8443",
    "a.b.contosoregistry.azurecr.io",
    "mcr.microsoft.com",
  ],
  challenges: [
    // https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
    { host, header: `Bearer realm="https://${host}/oauth2/token",service="${host}",scope="registry:catalog:*"` },
  ],
  silent: silent(acr, host),
});

async function service(
  ...exchanges: readonly Exchange[]
): Promise<{ service: ServiceRegistry; asked: readonly string[] }> {
  const { transport, asked } = recorded(...exchanges);
  return { service: await acr.connect(serviceContext(host, { transport })), asked };
}

test("no host of another domain is ever a registry of Azure", () => {
  fc.assert(
    fc.property(fc.domain(), (domain) => {
      expect(isRegistryHost(domain)).toBe(false);
      expect(isRegistryHost(`contosoregistry.azurecr.io.${domain}`)).toBe(false);
    }),
  );
});

test("the login server is the host without its region", () => {
  expect(loginServer("ContosoRegistry.westus2.geo.azurecr.io")).toBe(host);
  expect(loginServer("contosoregistry-abc123.azurecr.cn:443")).toBe("contosoregistry-abc123.azurecr.cn");
});

describe("repositories", () => {
  const attributes = {
    registry: host,
    imageName: "nanoserver",
    createdTime: "2018-09-06T06:17:20.9531248Z",
    lastUpdateTime: "2018-09-07T16:30:46.6583219Z",
    manifestCount: 2,
    tagCount: 2,
    changeableAttributes: open,
  };
  const described: Exchange = {
    page: `${page}/GetRepositoryAttributes.json`,
    url: `${base}/nanoserver`,
    answer: attributes,
  };

  test("are described with times, numbers and locks", async () => {
    const { service: registry } = await service(described);
    expect(await registry.describeRepository("nanoserver")).toEqual({
      name: "nanoserver",
      created: "2018-09-06T06:17:20.9531248Z",
      updated: "2018-09-07T16:30:46.6583219Z",
      tags: 2,
      images: 2,
      immutability: { tags: "mutable" },
    });
  });

  test("say what keeps them from being used", async () => {
    const answer = {
      ...attributes,
      createdTime: "yesterday\u001b[2J",
      manifestCount: -1,
      changeableAttributes: { ...open, writeEnabled: false, readEnabled: false },
    };
    const { service: registry } = await service({ page: locking, url: `${base}/nanoserver`, answer });
    expect(await registry.describeRepository("nanoserver")).toEqual({
      name: "nanoserver",
      updated: "2018-09-07T16:30:46.6583219Z",
      tags: 2,
      immutability: { tags: "immutable" },
      state: "pulls are off, locked",
    });
  });

  test("that are not there are none, and have no images", async () => {
    const answer = { errors: [{ code: "NAME_UNKNOWN", message: "repository name not known to registry" }] };
    const { service: registry } = await service(
      { page, url: `${base}/nanoserver`, status: 404, answer },
      { page, url: `${base}/nanoserver/_manifests?n=1000&orderby=timedesc`, status: 404, answer },
    );
    expect(await registry.describeRepository("nanoserver")).toBeUndefined();
    await expect(Array.fromAsync(registry.images("nanoserver"))).rejects.toMatchObject({ code: "NAME_UNKNOWN", host });
  });

  test("with images are deleted only by force", async () => {
    const { service: registry, asked } = await service(described, {
      page: `${page}/DeleteAcrRepository.json`,
      method: "DELETE",
      url: `${base}/nanoserver`,
      status: 202,
      answer: { manifestsDeleted: [...digests], tagsDeleted: [] },
    });
    await expect(registry.deleteRepository("nanoserver")).rejects.toMatchObject({ code: "CONFLICT" });
    expect(asked).toEqual([`GET ${base}/nanoserver`]);
    await registry.deleteRepository("nanoserver", { force: true });
    expect(asked[1]).toBe(`DELETE ${base}/nanoserver`);
  });

  test.each(["../oauth2", "a/../../b", "A", "a?n=1", ""])("named %j are refused, and nobody is asked", async (name) => {
    const { service: registry, asked } = await service();
    await expect(registry.describeRepository(name)).rejects.toMatchObject({ code: "NAME_INVALID", host });
    await expect(registry.deleteRepository(name, { force: true })).rejects.toMatchObject({ code: "NAME_INVALID" });
    expect(asked).toEqual([]);
  });
});

describe("images", () => {
  const first = `${base}/nanoserver/_manifests?n=1000&orderby=timedesc`;
  const entry = {
    digest: digests[0],
    imageSize: 2401606,
    createdTime: "2018-09-06T06:17:20.9983915Z",
    lastUpdateTime: "2018-09-06T06:17:20.9983915Z",
    architecture: "amd64",
    os: "windows",
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    tags: ["4.7.2-20180905-nanoserver-1803"],
    changeableAttributes: open,
  };
  const listed = (...manifests: readonly object[]): Pick<Exchange, "page" | "answer"> => ({
    page: `${page}/GetManifestList.json`,
    answer: { registry: host, imageName: "nanoserver", manifests },
  });

  test("are the manifests, one request a page, the first before the second page", async () => {
    const next = `/acr/v1/nanoserver/_manifests?last=${digests[0]}&n=1000&orderby=timedesc`;
    const { service: registry, asked } = await service(
      { ...listed(entry), url: first, headers: { link: `<${next}>; rel="next"` } },
      { ...listed({ ...entry, digest: digests[1], tags: [], mediaType: undefined }), url: `https://${host}${next}` },
    );
    const images = registry.images("nanoserver")[Symbol.asyncIterator]();
    expect((await images.next()).value).toEqual({
      digest: digests[0],
      tags: ["4.7.2-20180905-nanoserver-1803"],
      pushed: "2018-09-06T06:17:20.9983915Z",
      size: 2401606,
      sizeKind: "manifest",
      platforms: ["windows/amd64"],
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    });
    expect(asked).toHaveLength(1);
    expect((await images.next()).value).toMatchObject({ digest: digests[1], tags: [], sizeKind: "unexplained" });
    expect((await images.next()).done).toBe(true);
    expect(asked).toHaveLength(2);
  });

  test("with many tags are asked for all of them", async () => {
    const many = Array.from({ length: 14 }, (_, index) => `v${index}`);
    const { service: registry, asked } = await service(
      { ...listed({ ...entry, tags: many.slice(0, 10) }, { ...entry, digest: digests[1] }), url: first },
      {
        page: "https://github.com/Azure/azure-cli/issues/7438",
        url: `${base}/nanoserver/_tags?n=1000&digest=${encodeURIComponent(digests[0])}`,
        answer: { tags: many.map((name) => ({ name, digest: digests[0], changeableAttributes: open })) },
      },
    );
    const images = await Array.fromAsync(registry.images("nanoserver"));
    expect(images.map(({ tags }) => tags.length)).toEqual([14, 1]);
    expect(asked).toHaveLength(2);
  });

  test("say that they are locked, and leave out what cannot be", async () => {
    const locked = { ...entry, changeableAttributes: { ...open, writeEnabled: false, readEnabled: false } };
    const hostile = {
      ...entry,
      digest: digests[1],
      imageSize: -5,
      createdTime: "\u001b[31m",
      os: "win\u0007",
      mediaType: "a b",
      tags: ["ok", "\u001b[2J", 7, "../x"],
    };
    const { service: registry } = await service({
      ...listed(locked, { ...entry, digest: "sha256:short" }, hostile),
      url: first,
    });
    expect(await Array.fromAsync(registry.images("nanoserver"))).toEqual([
      expect.objectContaining({ digest: digests[0], immutable: true, state: "pulls are off" }),
      { digest: digests[1], tags: ["ok"] },
    ]);
  });

  test("in pages that lead in a circle end", async () => {
    const { service: registry, asked } = await service({
      ...listed(entry),
      url: first,
      headers: { link: `<${first}>; rel="next"` },
    });
    expect(await Array.fromAsync(registry.images("nanoserver"))).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  test("in pages that lead elsewhere are an error", async () => {
    const { service: registry, asked } = await service({
      ...listed(entry),
      url: first,
      headers: { link: '<https://evil.test/acr/v1/x/_manifests>; rel="next"' },
    });
    await expect(Array.fromAsync(registry.images("nanoserver"))).rejects.toMatchObject({ code: "NETWORK", host });
    expect(asked).toHaveLength(1);
  });
});

describe("deleting", () => {
  test("a tag leaves the manifest, by the service's own call", async () => {
    const { service: registry, asked } = await service({
      page: `${page}/DeleteTag.json`,
      method: "DELETE",
      url: `${base}/nanoserver/_tags/v1`,
      status: 202,
    });
    await registry.deleteTag("nanoserver", "v1");
    await registry.repository("nanoserver").deleteTag("v1");
    expect(asked).toHaveLength(2);
    await expect(registry.deleteTag("nanoserver", "../v1")).rejects.toMatchObject({ code: "INVALID" });
  });

  test("a locked manifest through the store says that it is locked", async () => {
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] });
    const digest = digestOf(text);
    const url = `https://${host}/v2/nanoserver/manifests/${digest}`;
    const headers = { "content-type": mediaType, "docker-content-digest": digest, "content-length": `${text.length}` };
    const { transport } = recorded(
      { page: locking, url, answer: text, headers },
      { page: locking, method: "HEAD", url, headers },
      {
        page: locking,
        method: "DELETE",
        url,
        status: 405,
        answer: { errors: [{ code: "UNSUPPORTED", message: "The operation is disallowed." }] },
      },
    );
    const registry = await acr.connect(serviceContext(host, { transport }));
    await expect(registry.repository("nanoserver").deleteManifest(digest)).rejects.toMatchObject({
      code: "DENIED",
      status: 405,
      hint: expect.stringContaining("locked"),
    });
  });

  test("manifests tells of each how it went: gone, deleted, and locked with the way out", async () => {
    const url = (digest: string): string => `https://${host}/v2/nanoserver/manifests/${digest}`;
    const third = `sha256:${"c".repeat(64)}` as const;
    const { service: registry } = await service(
      { page: `${page}/DeleteManifest.json`, method: "DELETE", url: url(digests[0]), status: 202 },
      { page: `${page}/DeleteManifest.json`, method: "DELETE", url: url(digests[1]), status: 404 },
      {
        page: locking,
        method: "DELETE",
        url: url(third),
        status: 405,
        answer: {
          errors: [
            { code: "UNSUPPORTED", message: "The operation is disallowed on this registry, repository or image." },
          ],
        },
      },
    );
    expect(await Array.fromAsync(registry.deleteManifests("nanoserver", [...digests, third]))).toEqual([
      { digest: digests[0], outcome: "deleted" },
      { digest: digests[1], outcome: "absent" },
      {
        digest: third,
        outcome: "failed",
        error: expect.objectContaining({ code: "DENIED", status: 405, hint: expect.stringContaining("locked") }),
      },
    ]);
  });
});

describe("locks", () => {
  const repository = (writeEnabled: boolean): Exchange => ({
    page: `${page}/GetRepositoryAttributes.json`,
    url: `${base}/nanoserver`,
    answer: { changeableAttributes: { ...open, writeEnabled } },
  });
  const tags: Exchange = {
    page: `${page}/GetTagList.json`,
    url: `${base}/nanoserver/_tags?n=1000`,
    answer: {
      tags: [
        { name: "v1", digest: digests[0], changeableAttributes: { ...open, writeEnabled: false } },
        { name: "v2", digest: digests[1], changeableAttributes: open },
        { name: "v3", digest: digests[1], changeableAttributes: { ...open, writeEnabled: false } },
      ],
    },
  };
  const patch = (path: string, writeEnabled: boolean): Exchange => ({
    page: `${page}/UpdateRepositoryAttributes.json`,
    method: "PATCH",
    url: `${base}/nanoserver${path}`,
    sends: { writeEnabled },
    answer: {},
  });

  test("of a repository are one request", async () => {
    const { service: registry, asked } = await service(repository(false));
    expect(await registry.immutability("nanoserver")).toEqual({ tags: "immutable" });
    expect(asked).toHaveLength(1);
  });

  test("of single tags are the exceptions", async () => {
    const { service: registry } = await service(repository(true), tags);
    expect(await registry.immutability("nanoserver")).toEqual({ tags: "mutable", except: ["v1", "v3"] });
  });

  test("are set on the repository", async () => {
    const { service: registry, asked } = await service(patch("", false));
    await registry.setImmutability("nanoserver", { tags: "immutable" });
    expect(asked).toEqual([`PATCH ${base}/nanoserver`]);
  });

  test("are set on exactly the tags that are named", async () => {
    const { service: registry, asked } = await service(
      patch("", true),
      tags,
      patch("/_tags/v2", false),
      patch("/_tags/v3", false),
      patch("/_tags/v3", true),
      patch("/_tags/v1", true),
    );
    await registry.setImmutability("nanoserver", { tags: "mutable", except: ["v1", "v2"] });
    expect(asked.slice(2)).toEqual([`PATCH ${base}/nanoserver/_tags/v2`, `PATCH ${base}/nanoserver/_tags/v3`]);
  });

  test.each([
    { tags: "immutable", except: ["v1"] },
    { tags: "mutable", except: ["v*"] },
    { tags: "mutable", except: ["../v1"] },
  ] as const)("that the service does not have are refused before anything is sent: %j", async (immutability) => {
    const { service: registry, asked } = await service();
    await expect(registry.setImmutability("nanoserver", immutability)).rejects.toMatchObject({ code: "INVALID", host });
    expect(asked).toEqual([]);
  });
});

describe("refusals", () => {
  const refused = (status: number, message: string): Exchange => ({
    page: "https://learn.microsoft.com/troubleshoot/azure/azure-container-registry/acr-authentication-errors",
    url: `${base}/nanoserver`,
    status,
    answer: { errors: [{ code: status === 403 ? "DENIED" : "UNAUTHORIZED", message }] },
  });

  test.each([
    [
      403,
      "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
      "DENIED",
      "firewall",
    ],
    [
      401,
      "authentication required, visit https://aka.ms/acr/authorization for more information.",
      "UNAUTHORIZED",
      "az acr login",
    ],
    [403, "requested access to the resource is denied", "DENIED", "roles"],
  ])("%d %s", async (status, message, code, hint) => {
    const { service: registry } = await service(refused(status, message));
    await expect(registry.describeRepository("nanoserver")).rejects.toMatchObject({
      code,
      host,
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });
});

describe("logins", () => {
  /** A registry that gives out tokens, and what it was asked. */
  function registryOf(token: (request: Req) => ReturnType<typeof respond>): { requests: Req[]; wire: Transport } {
    const requests: Req[] = [];
    const challenge = { "www-authenticate": `Bearer realm="https://${host}/oauth2/token",service="${host}"` };
    const wire: Transport = async (request) => {
      requests.push(request);
      if (request.url.pathname === "/oauth2/token") return token(request);
      return request.headers["authorization"] ? respond(200, {}, "{}") : respond(401, challenge);
    };
    return { requests, wire };
  }
  const connect = (wire: Transport): Promise<ServiceRegistry> => {
    const credentials = { name: "a test", find: async () => userPassword("contosoregistry", "admin-password") };
    return acr.connect(
      serviceContext(host, { transport: wire, authenticated: compose(wire, authenticate({ credentials })) }),
    );
  };

  test("ask for exactly the access to exactly this repository", async () => {
    const { requests, wire } = registryOf(() => respond(200, {}, '{"access_token":"granted"}'));
    const registry = await connect(wire);
    await registry.describeRepository("team/app");
    await registry.setImmutability("team/app", { tags: "immutable" });
    await registry.deleteTag("team/app", "v1");
    const scopes = requests.flatMap(({ url }) => url.searchParams.getAll("scope"));
    expect(scopes).toEqual([
      "repository:team/app:metadata_read",
      "repository:team/app:metadata_read,metadata_write",
      "repository:team/app:delete",
    ]);
    expect(requests.at(-1)?.headers["authorization"]).toBe("Bearer granted");
  });

  test("are told of a firewall by the token's refusal", async () => {
    const message =
      "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.";
    const { wire } = registryOf(() => respond(403, {}, JSON.stringify({ errors: [{ code: "DENIED", message }] })));
    const registry = await connect(wire);
    const failed = expect(registry.describeRepository("team/app")).rejects;
    await failed.toMatchObject({ code: "DENIED", hint: expect.stringContaining("firewall") });
    await failed.toThrow(message);
    await failed.not.toThrow("admin-password");
  });
});
