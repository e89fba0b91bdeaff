import { describe, expect, test } from "vitest";
import { ghcr } from "../../src/provider/ghcr/provider.ts";
import type { ServiceContext } from "../../src/provider/provider.ts";
import { providerContract } from "../contract/provider.ts";
import { serviceContext, silent, type Exchange } from "./support.ts";
import { api, failure, listed, login, organization, packages, speak, user } from "./ghcr-exchanges.ts";

providerContract({
  provider: ghcr,
  hosts: ["ghcr.io", "GHCR.io", "ghcr.io:443", "containers.octocorp.ghe.com"],
  lookAlikes: [
    "ghcr.io.test",
    "aghcr.io",
    "ghcr.io:8080",
    "containers.github.test",
    "containers.a.b.ghe.com",
    "ghe.com",
  ],
  challenges: [
    // The scope is a placeholder, whatever was asked for.
    {
      host: "ghcr.io",
      header: 'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"',
    },
    {
      host: "containers.github.test",
      header: 'Bearer realm="https://containers.github.test/token",service="containers.github.test"',
    },
  ],
  silent: silent(ghcr, "ghcr.io", login),
});

describe("repositories", () => {
  test("of an organization, by the prefix of their names, in lower case", async () => {
    const url = `${api}/orgs/octo-org/packages?package_type=container&per_page=100`;
    const answer = [
      listed("Octo-Org", "Hello"),
      listed("octo-org", "other"),
      listed("octo-org", "\u001b[2J"),
      { name: "x" },
    ];
    const { service } = await speak([
      organization,
      { page: `${packages}#list-packages-for-an-organization`, url, answer },
    ]);
    expect(await Array.fromAsync(service.listRepositories("Octo-org/he"))).toEqual([
      {
        name: "octo-org/hello",
        created: "2020-05-19T22:19:11.000Z",
        updated: "2020-05-19T22:19:11.000Z",
        images: 3,
        visibility: "private",
      },
    ]);
    expect(await Array.fromAsync(service.repositories("octo-org"))).toEqual(["octo-org/hello", "octo-org/other"]);
  });

  test("of a user, and without an owner the login's own", async () => {
    const [theirs, own] = ["/users/octocat", "/user"].map((home): Exchange => ({
      page: `${packages}#list-packages-for-a-user`,
      url: `${api}${home}/packages?package_type=container&per_page=100`,
      answer: [listed("octocat", "app")],
    }));
    const { service, asked } = await speak([user, theirs!, own!]);
    expect(await Array.fromAsync(service.listRepositories("octocat"))).toHaveLength(1);
    expect(await Array.fromAsync(service.listRepositories())).toHaveLength(1);
    expect(asked.at(-1)).toBe(`GET ${own!.url}`);
  });

  test("say that the list lacks what single sign-on hides", async () => {
    const warnings: string[] = [];
    const own: Exchange = {
      page: "https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api",
      url: `${api}/user/packages?package_type=container&per_page=100`,
      headers: { "x-github-sso": "partial-results; organizations=21955855,20582480" },
      answer: [],
    };
    const { service } = await speak([own], { onWarning: (text) => warnings.push(text) });
    await Array.fromAsync(service.listRepositories());
    expect(warnings).toEqual([expect.stringContaining("21955855,20582480")]);
  });

  test("described: one that is there, and one that is not", async () => {
    const page = `${packages}#get-a-package-for-an-organization`;
    const there = { page, url: `${api}/orgs/octo-org/packages/container/hello`, answer: listed("octo-org", "hello") };
    const none = {
      page,
      url: `${api}/orgs/octo-org/packages/container/none`,
      status: 404,
      answer: { message: "Package not found." },
    };
    const { service } = await speak([organization, there, none]);
    expect(await service.describeRepository("octo-org/hello")).toMatchObject({ name: "octo-org/hello", images: 3 });
    expect(await service.describeRepository("octo-org/none")).toBeUndefined();
  });

  test("deleted by force only where there are images", async () => {
    const url = `${api}/orgs/octo-org/packages/container/hello`;
    const { service, asked } = await speak([
      organization,
      { page: `${packages}#get-a-package-for-an-organization`, url, answer: listed("octo-org", "hello") },
      { page: `${packages}#delete-a-package-for-an-organization`, method: "DELETE", url, status: 204 },
    ]);
    expect(await failure(service.deleteRepository("octo-org/hello"))).toMatchObject({ code: "CONFLICT" });
    expect(asked).not.toContain(`DELETE ${url}`);
    await service.deleteRepository("octo-org/hello", { force: true });
    expect(asked.at(-1)).toBe(`DELETE ${url}`);
  });
});

describe("where the API is", () => {
  const first = async (host: string, more: Partial<ServiceContext>): Promise<string | undefined> => {
    const asked: string[] = [];
    const service = await ghcr.connect(
      serviceContext(host, {
        ...more,
        credential: login,
        transport: async ({ url, headers }) => {
          asked.push(`${url.href} ${headers["authorization"]}`);
          throw new Error("enough");
        },
      }),
    );
    await failure(service.allowances());
    return asked[0]?.split("/rate_limit ")[0];
  };

  test.each([
    ["ghcr.io", {}, api],
    ["containers.github.test", {}, "https://github.test/api/v3"],
    ["containers.octocorp.ghe.com", {}, "https://api.octocorp.ghe.com"],
    ["ghcr.io", { GITHUB_API_URL: "https://api.github.com" }, api],
    // A workflow on an Enterprise Server: its API must not get the login of ghcr.io.
    ["ghcr.io", { GITHUB_API_URL: "https://github.test/api/v3" }, api],
    ["ghcr.io", { GITHUB_API_URL: "not a URL" }, api],
    ["containers.github.test", { GITHUB_API_URL: "https://github.test/api/v3" }, "https://github.test/api/v3"],
    ["ghcr.io", { GITHUB_API_URL: "http://127.0.0.1:8080" }, "http://127.0.0.1:8080"],
  ])("of %s with %j", async (host, env, expected) => {
    expect(await first(host, { env })).toBe(expected);
  });

  test("as the user says, but no login over plain HTTP", async () => {
    expect(await first("ghcr.io", { api: () => "https://proxy.test/github" })).toBe("https://proxy.test/github");
    expect(await first("ghcr.io", { api: () => "http://proxy.test" })).toBeUndefined();
  });

  test("unknown for a host that has no such name", async () => {
    expect(await failure(ghcr.connect(serviceContext("registry.test")))).toMatchObject({
      code: "INVALID",
      hint: 'say so in your configuration (~/.config/gantry/config.yaml): hosts["registry.test"].api',
    });
  });
});

test("the limits of the API are told with the seconds until they start anew", async () => {
  const core = { limit: 5000, used: 1, remaining: 4999, reset: 1_691_591_363 };
  const { service } = await speak(
    [
      {
        page: "https://docs.github.com/en/rest/rate-limit/rate-limit",
        url: `${api}/rate_limit`,
        answer: { resources: { core }, rate: core },
      },
    ],
    { clock: { ...serviceContext("ghcr.io").clock, now: () => 1_691_591_303_000 } },
  );
  expect(await service.allowances()).toEqual([
    {
      what: "requests to GitHub's API",
      unit: "requests",
      limit: 5000,
      remaining: 4999,
      used: 1,
      windowSeconds: 3600,
      resetSeconds: 60,
    },
  ]);
});
