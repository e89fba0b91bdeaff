import { describe, expect, test } from "vitest";
import { userPassword } from "../../src/auth/credential.ts";
import { ghcr } from "../../src/provider/ghcr/provider.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";
import {
  api,
  deletion,
  failure,
  hex,
  limits,
  login,
  one,
  organization,
  speak,
  three,
  two,
  version,
  versions,
  versionsUrl,
} from "./ghcr-exchanges.ts";

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

  test("look for the login once, however many pages there are", async () => {
    const next = `${versionsUrl}?per_page=100&page=2`;
    const pages = [
      { ...versions(version(1, one, [])), headers: { link: `<${next}>; rel="next"` } },
      { ...versions(version(2, two, [])), url: next },
    ];
    const { transport } = recorded(organization, ...pages);
    const paths: unknown[] = [];
    const service = await ghcr.connect({
      ...serviceContext("ghcr.io", { transport }),
      credential: async (path) => {
        paths.push(path);
        return login;
      },
    });
    expect(await Array.fromAsync(service.images("octo-org/hello_docker"))).toHaveLength(2);
    expect(paths).toEqual(["octo-org/hello_docker"]);
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
    expect(await failure(Array.fromAsync(service.images("octo-org/hello_docker")))).toMatchObject({ code: "NETWORK" });
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
