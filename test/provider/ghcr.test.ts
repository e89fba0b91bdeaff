import { describe, expect, test } from "vitest";
import { userPassword } from "../../src/auth/credential.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { ghcr } from "../../src/provider/ghcr/provider.ts";
import type { ServiceContext } from "../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { providerContract } from "../contract/provider.ts";
import { recorded, serviceContext, silent, type Exchange } from "./support.ts";

const packages = "https://docs.github.com/en/rest/packages/packages";
const users = "https://docs.github.com/en/rest/users/users#get-a-user";
const limits = "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api";
const api = "https://api.github.com";
const login = userPassword("octocat", "ghp_secret");

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

const hex = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const [one, two, three] = [hex("1"), hex("2"), hex("3")];

const organization: Exchange = {
  page: users,
  url: `${api}/users/octo-org`,
  answer: { login: "octo-org", type: "Organization" },
};
const user: Exchange = { page: users, url: `${api}/users/octocat`, answer: { login: "octocat", type: "User" } };

/** As in "List package versions for a package owned by an organization". */
const version = (id: number, name: string, tags: readonly string[]): unknown => ({
  id,
  name,
  url: `${api}/orgs/octo-org/packages/container/hello_docker/versions/${id}`,
  package_html_url: "https://github.com/orgs/octo-org/packages/container/package/hello_docker",
  created_at: "2020-08-19T01:34:14Z",
  updated_at: "2020-08-19T01:34:14Z",
  html_url: `https://github.com/orgs/octo-org/packages/container/hello_docker/${id}`,
  metadata: { package_type: "container", container: { tags } },
});

/** As in "List packages for an organization". */
const listed = (owner: string, name: string): unknown => ({
  id: 197,
  name,
  package_type: "container",
  owner: { login: owner, id: 9919, type: "Organization" },
  version_count: 3,
  visibility: "private",
  url: `${api}/orgs/${owner}/packages/container/${name}`,
  created_at: "2020-05-19T22:19:11Z",
  updated_at: "2020-05-19T22:19:11Z",
  html_url: `https://github.com/orgs/${owner}/packages/container/package/${name}`,
});

const versionsUrl = `${api}/orgs/octo-org/packages/container/hello_docker/versions`;
const versions = (...answer: readonly unknown[]): Exchange => ({
  page: `${packages}#list-package-versions-for-a-package-owned-by-an-organization`,
  url: `${versionsUrl}?per_page=100`,
  answer,
});
const deletion = (id: number, more: Partial<Exchange> = {}): Exchange => ({
  page: `${packages}#delete-package-version-for-an-organization`,
  method: "DELETE",
  url: `${versionsUrl}/${id}`,
  status: 204,
  ...more,
});

interface Spoken {
  readonly service: ServiceRegistry;
  readonly asked: readonly string[];
  readonly sent: readonly Readonly<Record<string, string>>[];
}

async function speak(exchanges: readonly Exchange[], more: Parameters<typeof serviceContext>[1] = {}): Promise<Spoken> {
  const { transport, asked, sent } = recorded(...exchanges);
  const service = await ghcr.connect(serviceContext("ghcr.io", { transport, credential: login, ...more }));
  return { service, asked, sent };
}

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("images", () => {
  test("have their digests, tags and times, a hundred with a request", async () => {
    const pages = [1, 2, 3].map((page): Exchange => ({
      ...versions(version(page, hex(String(page)), page === 1 ? ["latest", "v1"] : [])),
      ...(page > 1 && { url: `${versionsUrl}?per_page=100&page=${page}` }),
      headers: page < 3 ? { link: `<${versionsUrl}?per_page=100&page=${page + 1}>; rel="next"` } : {},
    }));
    const { service, asked, sent } = await speak([organization, ...pages]);
    const images = service.images("octo-org/hello_docker")[Symbol.asyncIterator]();
    expect((await images.next()).value).toEqual({
      digest: one,
      tags: ["latest", "v1"],
      pushed: "2020-08-19T01:34:14.000Z",
    });
    expect(asked).toHaveLength(2);
    expect((await images.next()).value).toEqual({ digest: two, tags: [], pushed: "2020-08-19T01:34:14.000Z" });
    expect((await images.next()).value).toMatchObject({ digest: three });
    expect((await images.next()).done).toBe(true);
    expect(asked).toHaveLength(4);
    expect(sent[1]).toMatchObject({
      accept: "application/vnd.github+json",
      authorization: "Bearer ghp_secret",
      "x-github-api-version": "2022-11-28",
    });
    await Array.fromAsync(service.images("octo-org/hello_docker"));
    expect(asked, "the owner is looked up once").toHaveLength(7);
  });

  test("end where pages lead back", async () => {
    const again = { ...versions(version(1, one, [])), headers: { link: `<${versionsUrl}?per_page=100>; rel="next"` } };
    const { service, asked } = await speak([organization, again]);
    expect(await Array.fromAsync(service.images("octo-org/hello_docker"))).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  test("are not looked for at another host, which would get the token", async () => {
    const away = { ...versions(version(1, one, [])), headers: { link: '<https://evil.test/next>; rel="next"' } };
    const { service, asked } = await speak([organization, away]);
    expect(await failure(Array.fromAsync(service.images("octo-org/hello_docker")))).toMatchObject({ code: "INVALID" });
    expect(asked).toHaveLength(2);
  });

  test("leave out what is no digest, no tag and no time", async () => {
    const odd = {
      id: 4,
      name: two,
      created_at: "yesterday\u001b[2J",
      metadata: { container: { tags: ["ok", "a b", "\u001b[2J", 7] } },
    };
    const list = versions(version(1, "sha256:\u001b[2J", []), { id: "x", name: one }, null, "text", odd);
    const { service } = await speak([organization, list]);
    expect(await Array.fromAsync(service.images("octo-org/hello_docker"))).toEqual([{ digest: two, tags: ["ok"] }]);
  });

  test("of a package with slashes in its name, under an owner in capitals", async () => {
    const url = `${api}/orgs/octo-org/packages/container/charts%2Fapp/versions?per_page=100`;
    const { service, asked } = await speak([organization, { ...versions(version(1, one, [])), url }]);
    expect(await Array.fromAsync(service.images("Octo-Org/charts/App"))).toHaveLength(1);
    expect(asked[1]).toBe(`GET ${url}`);
  });

  test("come by the distribution API where there is no login, as GitHub's API tells nobody anything", async () => {
    const { service, asked } = await speak(
      [
        {
          page: "https://github.com/opencontainers/distribution-spec/blob/main/spec.md",
          url: "https://ghcr.io/v2/octo-org/app/tags/list?n=1000",
          answer: { tags: [] },
        },
      ],
      { credential: undefined! },
    );
    expect(await Array.fromAsync(service.images("octo-org/app"))).toEqual([]);
    expect(asked).toEqual(["GET https://ghcr.io/v2/octo-org/app/tags/list?n=1000"]);
  });

  test("of a name without an owner are refused before anything is asked", async () => {
    const { service, asked } = await speak([]);
    expect(await failure(Array.fromAsync(service.images("app")))).toMatchObject({ code: "NAME_INVALID" });
    expect(asked).toEqual([]);
  });
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

describe("deletions by digest", () => {
  test("list the versions once, and tell of each what became of it", async () => {
    const { service, asked } = await speak([
      organization,
      versions(version(11, one, ["old"]), version(22, two, []), version(33, hex("4"), [])),
      deletion(11),
      deletion(22, { status: 404, answer: { message: "Package version not found." } }),
    ]);
    const told = await Array.fromAsync(service.deleteManifests("octo-org/hello_docker", [one, two, three]));
    expect(told).toEqual([
      { digest: one, outcome: "deleted", tags: ["old"] },
      { digest: two, outcome: "absent" },
      { digest: three, outcome: "absent" },
    ]);
    expect(asked.filter((line) => line.includes("per_page"))).toHaveLength(1);
  });

  test.each([
    [
      "You cannot delete the last tagged version of a package. You must delete the package instead.",
      "CONFLICT",
      /repo delete --force/,
    ],
    [
      "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.",
      "DENIED",
      /support/,
    ],
  ])("that GitHub refuses say the way out: %s", async (message, code, hint) => {
    const { service } = await speak([
      organization,
      versions(version(11, one, ["a"]), version(22, two, [])),
      deletion(11, { status: 400, answer: { message } }),
      deletion(22),
    ]);
    const [first, second] = await Array.fromAsync(service.deleteManifests("octo-org/hello_docker", [one, two]));
    expect(first).toMatchObject({ outcome: "failed", error: { code, hint: expect.stringMatching(hint) as string } });
    expect(second).toMatchObject({ outcome: "deleted" });
  });

  test("stop at a limit, of which the rest would only make more", async () => {
    const { service, asked } = await speak([
      organization,
      versions(version(11, one, []), version(22, two, [])),
      deletion(11, {
        page: limits,
        status: 403,
        headers: { "retry-after": "60" },
        answer: { message: "You have exceeded a secondary rate limit." },
      }),
    ]);
    const told = await Array.fromAsync(service.deleteManifests("octo-org/hello_docker", [one, two]));
    const error = { code: "TOOMANYREQUESTS", retryable: true, retryAfter: 60_000, hint: "try again in 60 seconds" };
    expect(told).toEqual(
      [one, two].map((digest) => ({ digest, outcome: "failed", error: expect.objectContaining(error) as unknown })),
    );
    expect(asked.filter((line) => line.startsWith("DELETE"))).toHaveLength(1);
  });

  test("one by one through the store, which knows no tag alone", async () => {
    const { service, asked } = await speak([organization, versions(version(11, one, [])), deletion(11)]);
    const store = service.repository("octo-org/hello_docker");
    await store.deleteManifest(one);
    expect(asked.at(-1)).toBe(`DELETE ${versionsUrl}/11`);
    expect(await failure(store.deleteManifest(two))).toMatchObject({ code: "MANIFEST_UNKNOWN" });
    expect(await failure(store.deleteTag("latest"))).toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("tokens that do not do", () => {
  const refused = async (answer: Partial<Exchange>, password = "ghp_secret"): Promise<unknown> => {
    const { service } = await speak([organization, { ...versions(), ...answer }], {
      credential: userPassword("octocat", password),
    });
    return failure(Array.fromAsync(service.images("octo-org/hello_docker")));
  };

  test.each([
    [{ status: 401, answer: { message: "Bad credentials" } }, "ghp_secret", "UNAUTHORIZED", /expired or revoked/],
    [{ status: 401, answer: { message: "Bad credentials" } }, "github_pat_1", "UNAUTHORIZED", /classic token/],
    [
      { status: 403, answer: { message: "Resource not accessible by personal access token" } },
      "github_pat_1",
      "DENIED",
      /classic token/,
    ],
    [{ status: 404, answer: { message: "Package not found." } }, "github_pat_1", "NAME_UNKNOWN", /classic token/],
    [
      { status: 403, answer: { message: "Resource not accessible by integration" } },
      "ghs_1",
      "DENIED",
      /Manage Actions access/,
    ],
    [
      { status: 403, answer: { message: "You need at least read:packages scope to get a package's versions." } },
      "ghp_secret",
      "DENIED",
      /lacks the scope read:packages/,
    ],
    [
      {
        status: 403,
        headers: { "x-oauth-scopes": "gist, repo", "x-accepted-oauth-scopes": "read:packages" },
        answer: { message: "Forbidden" },
      },
      "ghp_secret",
      "DENIED",
      /lacks the scope read:packages/,
    ],
    [
      {
        status: 403,
        headers: { "x-oauth-scopes": "read:packages", "x-accepted-oauth-scopes": "read:packages" },
        answer: { message: "Forbidden" },
      },
      "ghp_secret",
      "DENIED",
      /package's settings/,
    ],
    [
      {
        status: 404,
        headers: { "x-oauth-scopes": "", "x-accepted-oauth-scopes": "read:packages" },
        answer: { message: "Not Found" },
      },
      "ghp_secret",
      "NAME_UNKNOWN",
      /lacks the scope read:packages/,
    ],
    [
      {
        status: 403,
        headers: { "x-github-sso": "required; url=https://github.com/orgs/octo-org/sso?authorization_request=A" },
        answer: { message: "Resource protected by organization SAML enforcement." },
      },
      "ghp_secret",
      "DENIED",
      /authorize the token at https:\/\/github\.com\/orgs\/octo-org\/sso/,
    ],
    [
      { status: 403, headers: { "x-github-sso": "required; url=https://a.test/\u001b[2J" }, answer: {} },
      "ghp_secret",
      "DENIED",
      /settings/,
    ],
    [
      { status: 400, answer: { message: "Invalid argument." } },
      "ghs_1",
      "DENIED",
      /GITHUB_TOKEN of a workflow cannot list/,
    ],
    [
      {
        status: 429,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" },
        answer: { message: "API rate limit exceeded" },
      },
      "ghp_secret",
      "TOOMANYREQUESTS",
      /in 0 seconds/,
    ],
  ])("%j with %s", async (answer, password, code, hint) => {
    const error = await refused(answer, password);
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) as string });
    expect(JSON.stringify(error) + String(error)).not.toContain(password);
  });

  test("no login at all, where only the API could tell", async () => {
    const { service, asked } = await speak([], { credential: undefined! });
    expect(await failure(Array.fromAsync(service.listRepositories("octo-org")))).toMatchObject({
      code: "UNAUTHORIZED",
      hint: expect.stringContaining("gantry login ghcr.io") as string,
    });
    expect(asked).toEqual([]);
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
      hint: "set hosts.registry.test.api in gantry.yaml",
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
