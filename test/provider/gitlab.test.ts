import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../src/auth/challenge.ts";
import { userPassword } from "../../src/auth/credential.ts";
import { providerOfChallenges } from "../../src/provider/detect.ts";
import { gitlab } from "../../src/provider/gitlab/provider.ts";
import { providerContract } from "../contract/provider.ts";
import { recorded, serviceContext, silent, type Exchange } from "./support.ts";
import {
  api,
  deploy,
  failure,
  found,
  host,
  job,
  login,
  none,
  project,
  registryPage,
  repositories,
  row,
  speak,
  tagsUrl,
  troubleshooting,
} from "./gitlab-exchanges.ts";

providerContract({
  provider: gitlab,
  hosts: ["registry.gitlab.com", "Registry.GitLab.com", "registry.gitlab.com:443"],
  lookAlikes: ["gitlab.com", "registry.gitlab.com:5050", "registry-gitlab.com", "registry.gitlab.example"],
  challenges: [
    // docs.gitlab.com/administration/packages/container_registry_troubleshooting
    {
      host: "registry.gitlab.com",
      header: 'Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="registry:catalog:*"',
    },
    {
      host: "gitlab.example:5050",
      header: 'Bearer realm="https://gitlab.example/gitlab/jwt/auth",service="container_registry"',
    },
  ],
  silent: silent(gitlab, host, login),
});

test.each([
  [
    "Forgejo",
    'Bearer realm="https://forgejo.example/v2/token",service="container_registry",scope="*",Basic realm="https://forgejo.example/v2",service="container_registry",scope="*"',
  ],
  ["Harbor", 'Bearer realm="https://harbor.example/service/token",service="harbor-registry"'],
  ["a stranger at a like address", 'Bearer realm="https://other.example/jwt/auth",service="other"'],
])("%s is not taken for GitLab", (_, header) => {
  expect(providerOfChallenges("forgejo.example", parseChallenges(header))).not.toBe(gitlab);
});

describe("the project of a repository", () => {
  const deletion = (id: number, of: string): Exchange => ({
    page: `${registryPage}#delete-a-registry-repository-tag`,
    method: "DELETE",
    url: `${api}/projects/${encodeURIComponent(of)}/registry/repositories/${id}/tags/v1`,
  });

  test("is the longest beginning of its name that is one, and is looked for once", async () => {
    const [own, shorter] = [none("group/project/releases"), deletion(2, project)];
    const { service, asked, sent } = await speak([own, found, shorter]);
    await service.deleteTag("group/project/releases", "v1");
    await service.repository("group/project/releases").deleteTag("v1");
    expect(asked).toEqual([`GET ${own.url}`, `GET ${found.url}`, `DELETE ${shorter.url}`, `DELETE ${shorter.url}`]);
    expect(sent[0]).toMatchObject({ "private-token": "glpat-secret" });
  });

  test("is in a CI job its own, first of all", async () => {
    const { service, asked } = await speak([found, deletion(2, project)], {
      credential: job,
      env: { CI_PROJECT_PATH: "Group/Project" },
    });
    await service.deleteTag("group/project/releases", "v1");
    expect(asked).toHaveLength(2);
  });

  test.each([
    ["nobody's", "group/other", [none("group/other")], "NAME_UNKNOWN"],
    ["there, but was never pushed to", "group/project/new", [none("group/project/new"), found], "NAME_UNKNOWN"],
    ["not in the name", "project", [], "NAME_INVALID"],
  ] as const)("is %s", async (_, name, exchanges, code) => {
    const { service } = await speak(exchanges);
    expect(await failure(service.deleteTag(name, "v1"))).toMatchObject({ code });
  });

  test("is found on a later page, and not on pages that lead back", async () => {
    const next = `${repositories(project).url}&page=2`;
    const link = (url: string): Partial<Exchange> => ({ headers: { link: `<${url}>; rel="next"` } });
    const pages = [
      repositories(project, { answer: [row(1, project)], ...link(next) }),
      { ...repositories(project, { answer: [row(7, `${project}/late`)], ...link(found.url) }), url: next },
    ];
    const { service, asked } = await speak([
      none(`${project}/late`),
      none(`${project}/no`),
      ...pages,
      deletion(7, project),
    ]);
    await service.deleteTag(`${project}/late`, "v1");
    expect(await failure(service.deleteTag(`${project}/no`, "v1"))).toMatchObject({ code: "NAME_UNKNOWN" });
    expect(asked).toHaveLength(7);
  });
});

describe("repositories", () => {
  test("of a project, with how many tags they have, by the prefix of their names", async () => {
    const counted = {
      ...found,
      url: `${found.url}&tags_count=true`,
      answer: [{ ...row(1, project), tags_count: 3 }, row(2, `${project}/releases`), { id: 3, path: "\u001b[2J" }],
    };
    const away = ["projects", "groups"].map((kind) =>
      none(`${project}/re`, kind, kind === "projects" ? "&tags_count=true" : ""),
    );
    const { service } = await speak([counted, ...away]);
    expect(await Array.fromAsync(service.listRepositories(`${project}/`))).toEqual([
      { name: `${project}/releases`, created: "2019-01-10T13:38:57.391Z" },
    ]);
    expect(await Array.fromAsync(service.listRepositories(project))).toMatchObject([{ tags: 3 }, {}]);
    expect(await Array.fromAsync(service.repositories(`${project}/re`))).toEqual([`${project}/releases`]);
  });

  test("of a group", async () => {
    const { service, asked } = await speak([
      repositories("group", { answer: [row(1, project), row(2, "group/other_project")] }, "groups"),
    ]);
    expect(await Array.fromAsync(service.listRepositories("group"))).toHaveLength(2);
    expect(asked).toHaveLength(1);
  });

  test("of a user are those of each project, which is said", async () => {
    const { service } = await speak([none("octo", "groups")]);
    expect(await failure(Array.fromAsync(service.listRepositories("octo")))).toMatchObject({
      code: "NAME_UNKNOWN",
      hint: expect.stringContaining("registry.gitlab.com/USER/PROJECT") as string,
    });
  });

  test("all of them are for administrators", async () => {
    const denied = {
      page: "https://docs.gitlab.com/administration/packages/container_registry",
      url: `https://${host}/v2/_catalog?n=1000`,
      status: 401,
      answer: { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] },
    };
    const { service } = await speak([denied]);
    expect(await failure(Array.fromAsync(service.listRepositories()))).toMatchObject({
      code: "DENIED",
      hint: `name a group or project: ${host}/GROUP`,
    });
  });

  const details: Exchange = {
    page: `${registryPage}#get-details-of-a-single-repository`,
    url: `${api}/registry/repositories/1?tags_count=true&size=true`,
    answer: { ...row(1, project), tags_count: 1, size: 2_818_413, status: "delete_scheduled" },
  };

  test("described with size and state, and what is not there as nothing", async () => {
    const { service } = await speak([found, details, none("group/none")]);
    expect(await service.describeRepository(project)).toEqual({
      name: project,
      created: "2019-01-10T13:38:57.391Z",
      tags: 1,
      size: 2_818_413,
      state: "delete scheduled",
    });
    expect(await service.describeRepository("group/none")).toBeUndefined();
  });

  test("deleted by force only where there are tags", async () => {
    const url = `${api}/projects/group%2Fproject/registry/repositories/1`;
    const deletion = {
      page: `${registryPage}#delete-registry-repository`,
      method: "DELETE",
      url,
      status: 202,
      answer: "",
    } as const;
    const { service, asked } = await speak([found, details, deletion]);
    expect(await failure(service.deleteRepository(project))).toMatchObject({ code: "CONFLICT" });
    expect(asked).not.toContain(`DELETE ${url}`);
    await service.deleteRepository(project, { force: true });
    expect(asked.at(-1)).toBe(`DELETE ${url}`);
  });
});

describe("a tag that is not deleted", () => {
  test.each([
    [{ status: 404, answer: { message: "404 Tag Not Found" } }, login, "MANIFEST_UNKNOWN", /may not see/],
    [{ status: 403, answer: { message: "403 Forbidden" } }, login, "DENIED", /protection rule/],
    [
      { status: 401, answer: { message: "401 Unauthorized" } },
      login,
      "UNAUTHORIZED",
      /access token that has not expired, and no password/,
    ],
    [
      { status: 401, answer: { error: "invalid_token", error_description: "Token is expired." } },
      login,
      "UNAUTHORIZED",
      /not expired/,
    ],
    [
      {
        status: 403,
        answer: {
          error: "insufficient_scope",
          error_description: "The request requires higher privileges than provided by the access token.",
          scope: "api read_api",
        },
      },
      login,
      "DENIED",
      /lacks the scope api or read_api/,
    ],
    [{ status: 403, answer: { message: "403 Forbidden" } }, job, "DENIED", /CI job token/],
    [{ status: 401, answer: { message: "401 Unauthorized" } }, undefined, "UNAUTHORIZED", /log in/],
  ] as const)("%j", async (answer, credential, code, hint) => {
    const { service } = await speak(
      [found, { page: troubleshooting, method: "DELETE", url: `${tagsUrl}/v1`, ...answer }],
      {
        credential: credential!,
      },
    );
    const error = await failure(service.deleteTag(project, "v1"));
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) as string });
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test("by a deploy token goes by the distribution API", async () => {
    const { service, asked } = await speak(
      [{ page: registryPage, method: "DELETE", url: `https://${host}/v2/group/project/manifests/v1`, status: 202 }],
      { credential: deploy },
    );
    await service.deleteTag(project, "v1");
    expect(asked).toHaveLength(1);
  });
});

describe("where the API is", () => {
  const challenge = (realm: string): Exchange => ({
    page: "https://docs.gitlab.com/administration/packages/container_registry_troubleshooting",
    url: "https://registry.example/v2/",
    status: 401,
    headers: { "www-authenticate": `Bearer realm="${realm}",service="container_registry"` },
  });
  const first = async (
    exchange: Exchange | undefined,
    more: Parameters<typeof serviceContext>[1],
  ): Promise<unknown> => {
    const { transport } = recorded(...(exchange ? [exchange] : []));
    const asked: string[] = [];
    const service = await gitlab.connect(
      serviceContext("registry.example", {
        credential: login,
        ...more,
        transport: async (request) => {
          if (request.url.host === "registry.example") return transport(request);
          asked.push(request.url.href);
          throw new Error("enough");
        },
      }),
    );
    const error = await failure(service.allowances());
    return asked[0] ?? error;
  };
  const end = "/projects?per_page=1&simple=true";

  test.each([
    ["https://gitlab.example/jwt/auth", {}, "https://gitlab.example/api/v4"],
    ["https://host.example/gitlab/jwt/auth", {}, "https://host.example/gitlab/api/v4"],
    [
      "https://gitlab.example/jwt/auth",
      { CI_API_V4_URL: "https://gitlab.example/below/api/v4" },
      "https://gitlab.example/below/api/v4",
    ],
    // A pipeline of one GitLab that pushes to another: the login stays there.
    [
      "https://gitlab.example/jwt/auth",
      { CI_API_V4_URL: "https://other.example/api/v4" },
      "https://gitlab.example/api/v4",
    ],
    [
      "https://gitlab.example/jwt/auth",
      { CI_API_V4_URL: "http://gitlab.example/api/v4" },
      "https://gitlab.example/api/v4",
    ],
    ["https://gitlab.example/jwt/auth", { CI_API_V4_URL: "nonsense" }, "https://gitlab.example/api/v4"],
  ])("by the realm %s with %j", async (realm, env, expected) => {
    expect(await first(challenge(realm), { env })).toBe(expected + end);
  });

  test.each(["http://gitlab.example/jwt/auth", "https://127.0.0.1/jwt/auth", "ftp://gitlab.example/jwt/auth"])(
    "not where a registry must not send logins: %s",
    async (realm) => {
      expect(await first(challenge(realm), {})).toMatchObject({ code: "UNAUTHORIZED" });
    },
  );

  test("as the user says", async () => {
    expect(await first(undefined, { api: () => "https://gitlab.example" })).toBe(`https://gitlab.example/api/v4${end}`);
    expect(await first(undefined, { api: () => "https://a.example/x/api/v4" })).toBe(
      `https://a.example/x/api/v4${end}`,
    );
    expect(await first(undefined, { api: () => "http://gitlab.example" })).toMatchObject({ code: "UNAUTHORIZED" });
  });

  test("unknown where nobody says", async () => {
    const open: Exchange = { ...challenge(""), status: 200, headers: {} };
    expect(await first(open, {})).toMatchObject({
      code: "INVALID",
      hint: 'say so in your configuration (~/.config/gantry/config.yaml): hosts["registry.example"].api',
    });
  });
});

test("the limits of the API are told, with an OAuth token as bearer", async () => {
  const { service, sent } = await speak(
    [
      {
        page: "https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits#response-headers",
        url: `${api}/projects?per_page=1&simple=true`,
        headers: {
          "ratelimit-limit": "60",
          "ratelimit-remaining": "40",
          "ratelimit-reset": "1609844400",
          "ratelimit-observed": "20",
        },
        answer: [],
      },
    ],
    {
      credential: userPassword("oauth2", "oauth-secret"),
      clock: { ...serviceContext(host).clock, now: () => 1_609_844_370_000 },
    },
  );
  expect(await service.allowances()).toEqual([
    { what: "requests to GitLab's API", unit: "requests", limit: 60, remaining: 40, resetSeconds: 30 },
  ]);
  expect(sent[0]).toMatchObject({ authorization: "Bearer oauth-secret" });
});
