import { describe, expect, test } from "vitest";
import { detect } from "../../../src/provider/detect.ts";
import { apiBase } from "../../../src/provider/harbor/api.ts";
import { harbor } from "../../../src/provider/harbor/provider.ts";
import { Secret } from "../../../src/auth/secret.ts";
import { serviceVariablesSource } from "../../../src/auth/environment.ts";
import { registryVariables } from "../../../src/provider/environment.ts";
import { providerContract } from "../../contract/provider.ts";
import { lineOf } from "../../contract/credentials.ts";
import { recorded, serviceContext, silent, type Exchange } from "../support.ts";
import { api, failure, harborOf, robot, source, swagger } from "./support.ts";

providerContract({
  provider: harbor,
  hosts: [],
  lookAlikes: ["harbor.example", "goharbor.io", "demo.goharbor.io", "harbor"],
  challenges: [
    {
      host: "harbor.example",
      header: 'Bearer realm="https://harbor.example/service/token",service="harbor-registry"',
    },
    {
      host: "registry.corp.example:8443",
      header: 'Bearer realm="https://login.corp.example/harbor/service/token",service="harbor-registry",scope="x"',
    },
  ],
  silent: silent(harbor, "harbor.example", robot),
});

describe("a Harbor is found", () => {
  const version = (header: string): Exchange => ({
    page: `${source}/server/middleware/v2auth/auth.go`,
    url: "https://oci.corp.example/v2/",
    status: 401,
    headers: { "www-authenticate": header },
    answer: failure("UNAUTHORIZED", "unauthorized"),
  });
  const info = (answer: unknown): Exchange => ({
    page: `${source}/server/v2.0/handler/systeminfo.go`,
    url: "https://oci.corp.example/api/v2.0/systeminfo",
    answer,
  });

  test("by its challenge", async () => {
    const { transport } = recorded(
      version('Bearer realm="https://sso.example/service/token",service="harbor-registry"'),
    );
    expect(await detect("oci.corp.example", transport)).toEqual({ provider: harbor, by: "challenge" });
  });

  test("by its API, where something before it has another challenge", async () => {
    const { transport, sent } = recorded(
      version('Basic realm="corp"'),
      info({ auth_mode: "oidc_auth", primary_auth_mode: false, self_registration: false, banner_message: "" }),
    );
    expect(await detect("oci.corp.example", transport)).toEqual({ provider: harbor, by: "probe" });
    expect(sent.flatMap(Object.keys)).not.toContain("authorization");
  });

  test.each([{}, [], null, "<html></html>", { auth_mode: 1 }])("and not by %j at that address", (answer) => {
    expect(harbor.probe!.fits({ status: 200, headers: {}, body: answer })).toBe(false);
  });
});

describe("its API is", () => {
  test.each<[string, string | undefined, string]>([
    ["harbor.example", undefined, "https://harbor.example/api/v2.0"],
    ["harbor.example:8443", undefined, "https://harbor.example:8443/api/v2.0"],
    ["harbor.example", "https://portal.example", "https://portal.example/api/v2.0"],
    ["harbor.example", "https://portal.example/harbor/", "https://portal.example/harbor/api/v2.0"],
    ["harbor.example", "https://portal.example/harbor/api/v2.0/", "https://portal.example/harbor/api/v2.0"],
  ])("for %s with %s at %s", (host, told, expected) => {
    expect(apiBase({ host, api: () => told }).href).toBe(expected);
  });

  test("below a path, pages included", async () => {
    const page = (number: number, name: string): Exchange => ({
      page: swagger,
      url: `https://portal.example/harbor/api/v2.0/repositories?page_size=100&page=${number}`,
      // Harbor knows nothing of the path that it is behind.
      headers: { "x-total-count": "150", link: '</api/v2.0/repositories?page=2&page_size=100>; rel="next"' },
      answer: [{ id: number, name }],
    });
    const { service } = await harborOf([page(1, "lib/a"), page(2, "lib/b")], {
      api: () => "https://portal.example/harbor",
    });
    expect((await Array.fromAsync(service.listRepositories())).map(({ name }) => name)).toEqual(["lib/a", "lib/b"]);
  });
});

describe("its logins", () => {
  const list = (more: Partial<Exchange> = {}): Exchange => ({
    page: swagger,
    url: `${api}/projects/lib/repositories?page_size=100&page=1`,
    answer: [],
    ...more,
  });

  test("are sent as Basic, once looked up, and no cookie comes back", async () => {
    const { service, sent } = await harborOf([list({ headers: { "set-cookie": "sid=1" } })]);
    await Array.fromAsync(service.listRepositories("lib/"));
    await Array.fromAsync(service.listRepositories("lib/"));
    expect(sent.map(({ authorization }) => authorization)).toEqual(
      Array(2).fill(`Basic ${Buffer.from("robot$lib+ci:s3cret").toString("base64")}`),
    );
    expect(sent.flatMap(Object.keys)).not.toContain("cookie");
  });

  test("are those of the project", async () => {
    const paths: (string | undefined)[] = [];
    const context = {
      ...serviceContext("harbor.example", { transport: recorded(list()).transport }),
      credential: async (path?: string) => {
        paths.push(path);
        return undefined;
      },
    };
    await Array.fromAsync((await harbor.connect(context)).listRepositories("lib/"));
    expect(paths).toEqual(["lib"]);
  });

  test("go to no other origin and over no network in plain text", async () => {
    const { service, asked } = await harborOf([], { api: () => "http://harbor.example" });
    await expect(Array.fromAsync(service.listRepositories())).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(asked).toEqual([]);
  });

  test("that are a token of an OIDC session are sent as such, identity tokens are not", async () => {
    const token = new Secret("jwt");
    const bearer = await harborOf([list()], { credential: { kind: "bearer", token } });
    await Array.fromAsync(bearer.service.listRepositories("lib/"));
    expect(bearer.sent[0]).toMatchObject({ authorization: "Bearer jwt" });
    const identity = await harborOf([list()], { credential: { kind: "identity", token } });
    await Array.fromAsync(identity.service.listRepositories("lib/"));
    expect(identity.sent[0]).not.toHaveProperty("authorization");
  });

  test("come from the variables that its tools read, for the host that these name", async () => {
    const source = serviceVariablesSource(
      { HARBOR_URL: "https://harbor.example:8443/", HARBOR_USERNAME: "robot$ci", HARBOR_PASSWORD: "pw" },
      registryVariables,
    );
    expect(lineOf(await source.find("harbor.example:8443", "lib/app"))).toBe("basic robot$ci:pw");
    for (const host of ["harbor.example", "harbor.example:8443.evil.test", "evil-harbor.example:8443"]) {
      expect(await source.find(host, "lib/app")).toBeUndefined();
    }
  });
});

describe("what Harbor refuses is explained", () => {
  const basic = (username: string) => ({ kind: "basic", username, password: new Secret("s3cret") }) as const;
  const url = `${api}/projects/lib/repositories/app/artifacts/v1/tags/v1`;

  test.each<[string, number, string, string, Parameters<typeof harborOf>[1], string, RegExp]>([
    ["no login", 401, "UNAUTHORIZED", "unauthorized", { credential: undefined! }, "UNAUTHORIZED", /log in/],
    [
      "a robot without $",
      401,
      "UNAUTHORIZED",
      "unauthorized",
      { credential: basic("robot") },
      "UNAUTHORIZED",
      /single quotes/,
    ],
    ["an expired robot", 401, "UNAUTHORIZED", "unauthorized", { credential: robot }, "UNAUTHORIZED", /expired/],
    ["an OIDC user", 401, "UNAUTHORIZED", "unauthorized", { credential: basic("ann") }, "UNAUTHORIZED", /CLI secret/],
    ["a missing role", 403, "FORBIDDEN", "forbidden", {}, "DENIED", /maintainer.*not there/],
    [
      "a full quota",
      403,
      "DENIED",
      "adding 1 MiB of storage resource, which when updated to current usage of 10 MiB will exceed the configured upper limit of 10 MiB.",
      {},
      "DENIED",
      /garbage collection/,
    ],
    [
      "an immutable tag",
      412,
      "PRECONDITION",
      "the tag v1 configured as immutable, cannot be deleted",
      {},
      "CONFLICT",
      /immutability rule/,
    ],
    [
      "a child of an index",
      412,
      "VIOLATE_FOREIGN_KEY_CONSTRAINT",
      "the deleting artifact is referenced by others",
      {},
      "CONFLICT",
      /index/,
    ],
    [
      "a policy",
      412,
      "PROJECTPOLICYVIOLATION",
      "current image with 3 vulnerabilities cannot be pulled",
      {},
      "CONFLICT",
      /policy on vulnerabilities/,
    ],
    ["a tag that is not there", 404, "NOT_FOUND", "artifact lib/app:v1 not found", {}, "MANIFEST_UNKNOWN", /^$/],
    ["too many requests", 429, "TOO_MANY_REQUEST", "slow down", {}, "TOOMANYREQUESTS", /^$/],
  ])("%s", async (_, status, code, message, more, expected, hint) => {
    const { service } = await harborOf(
      [{ page: `${source}/lib/http/error.go`, method: "DELETE", url, status, answer: failure(code, message) }],
      more,
    );
    const error: unknown = await service.deleteTag("lib/app", "v1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expected, host: "harbor.example", status });
    expect((error as { hint?: string }).hint ?? "").toMatch(hint);
    expect(String(error)).toContain(message);
    expect(JSON.stringify(error) + String(error)).not.toContain("s3cret");
  });

  // The codes are of lib/errors, the statuses of lib/http/error.go.
  test.each<[number, string, string]>([
    [401, "UNAUTHORIZED", "unauthorized"],
    [403, "FORBIDDEN", "forbidden"],
    [403, "DENIED", "adding 1 B of storage resource, will exceed the configured upper limit of 1 B."],
    [404, "NOT_FOUND", "project gone not found"],
    [400, "UNSUPPORTED", "deleting tag is not supported"],
    [412, "PRECONDITION", "Failed to process request due to 'app:v1' configured as immutable."],
    [412, "PROJECTPOLICYVIOLATION", "The image is not signed."],
  ])("%i %s is among what means something else", (status, code, message) => {
    const body = JSON.stringify(failure(code, message));
    expect(harbor.quirks.lies.some((lie) => lie.status === status && lie.text.test(body))).toBe(true);
  });

  test("a 404 that is not in Harbor's words is of something else, not of what is missing in Harbor", async () => {
    const url = `${api}/repositories?page_size=100&page=1`;
    const { service } = await harborOf([{ page: swagger, url, status: 404, answer: "404 page not found" }]);
    await expect(Array.fromAsync(service.listRepositories())).rejects.toMatchObject({
      code: "NETWORK",
      status: 404,
      hint: expect.stringContaining("hosts.HOST.api") as string,
    });
  });

  test.each(["<html>Sign in</html>", { not: "a list" }, "nonsense"])("%j in place of a list", async (answer) => {
    const { service } = await harborOf([{ page: swagger, url: `${api}/repositories?page_size=100&page=1`, answer }]);
    await expect(Array.fromAsync(service.listRepositories())).rejects.toMatchObject({
      code: "NETWORK",
      hint: expect.stringContaining("hosts.HOST.api") as string,
    });
  });

  test.each(["..", "../admin", "lib/..", "lib/App", "lib//app", "lib/app?x", "lib/a%2fb"])(
    "%j is no repository, and nobody is asked",
    async (name) => {
      const { service, asked } = await harborOf([]);
      for (const use of [
        service.describeRepository(name),
        service.createRepository(name),
        service.immutability(name),
        service.lifecycle(name),
        Array.fromAsync(service.images(name)),
      ]) {
        await expect(use).rejects.toMatchObject({ code: "INVALID" });
      }
      await expect(service.deleteTag("lib/app", "../v1")).rejects.toMatchObject({ code: "INVALID" });
      expect(asked).toEqual([]);
    },
  );
});
