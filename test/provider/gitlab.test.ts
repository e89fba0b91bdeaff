import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../src/auth/challenge.ts";
import { userPassword } from "../../src/auth/credential.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { providerOfChallenges } from "../../src/provider/detect.ts";
import { gitlab } from "../../src/provider/gitlab/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { providerContract } from "../contract/provider.ts";
import { recorded, serviceContext, silent, type Exchange } from "./support.ts";

const registryPage = "https://docs.gitlab.com/api/container_registry";
const projectsPage = "https://docs.gitlab.com/api/projects";
const graphqlPage = "https://docs.gitlab.com/api/graphql/reference";
const troubleshooting = "https://docs.gitlab.com/api/rest/troubleshooting";
const host = "registry.gitlab.com";
const api = "https://gitlab.com/api/v4";
const login = userPassword("octo", "glpat-secret");
const job = userPassword("gitlab-ci-token", "job-secret");
const deploy = userPassword("gitlab+deploy-token-1", "deploy-secret");

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

/** As in "List registry repositories". */
const row = (id: number, path: string): Readonly<Record<string, unknown>> => ({
  id,
  name: path.split("/").slice(2).join("/"),
  path,
  project_id: 9,
  location: `${host}/${path}`,
  created_at: "2019-01-10T13:38:57.391Z",
  cleanup_policy_started_at: "2020-01-10T15:40:57.391Z",
  status: null,
});

const repositories = (path: string, more: Partial<Exchange> = {}, kind = "projects"): Exchange => ({
  page: `${registryPage}#list-registry-repositories`,
  url: `${api}/${kind}/${encodeURIComponent(path)}/registry/repositories?per_page=100`,
  ...more,
});
const none = (path: string, kind = "projects", query = ""): Exchange => ({
  page: troubleshooting,
  url: `${repositories(path, {}, kind).url}${query}`,
  status: 404,
  answer: { message: kind === "projects" ? "404 Project Not Found" : "404 Group Not Found" },
});

const project = "group/project";
const found = repositories(project, { answer: [row(1, project), row(2, `${project}/releases`)] });
const tagsUrl = `${api}/projects/group%2Fproject/registry/repositories/1/tags`;

interface Spoken {
  readonly service: ServiceRegistry;
  readonly asked: readonly string[];
  readonly sent: readonly Readonly<Record<string, string>>[];
}

async function speak(exchanges: readonly Exchange[], more: Parameters<typeof serviceContext>[1] = {}): Promise<Spoken> {
  const { transport, asked, sent } = recorded(...exchanges);
  const service = await gitlab.connect(serviceContext(host, { transport, credential: login, ...more }));
  return { service, asked, sent };
}

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const hex = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

/** An answer by GraphQL for any query that has a text in it. */
interface Query {
  readonly has: string;
  readonly answer: unknown;
}

/** Answers queries in turn, and what else is asked as it was recorded; tells what came. */
async function query(
  queries: readonly Query[],
  rest: readonly Exchange[] = [found],
): Promise<Spoken & { readonly bodies: string[] }> {
  const { transport, asked, sent } = recorded(...rest);
  const bodies: string[] = [];
  const waiting = [...queries];
  const service = await gitlab.connect(
    serviceContext(host, {
      credential: login,
      transport: async (request) => {
        if (request.url.href !== "https://gitlab.com/api/graphql") return transport(request);
        const chunks = await Array.fromAsync(await request.body!.open());
        const text = Buffer.concat(chunks).toString();
        const next = waiting.shift();
        expect(text).toContain(next?.has);
        bodies.push(text);
        return recorded({
          page: graphqlPage,
          method: "POST",
          url: request.url.href,
          sends: JSON.parse(text),
          answer: next?.answer,
        }).transport(request);
      },
    }),
  );
  return { service, asked, sent, bodies };
}

/** As in `ContainerRepositoryDetails`. */
const tags = (nodes: readonly unknown[], endCursor?: string): unknown => ({
  data: {
    containerRepository: {
      tags: { nodes, pageInfo: { hasNextPage: endCursor !== undefined, endCursor: endCursor ?? null } },
    },
  },
});
const node = (name: string, digit: string): Readonly<Record<string, unknown>> => ({
  name,
  digest: hex(digit),
  createdAt: "2023-12-20T20:09:08+00:00",
  publishedAt: "2023-12-21T20:09:08+00:00",
  totalSize: "1234509876",
  mediaType: "application/vnd.oci.image.index.v1+json",
});
const tooOld = {
  errors: [
    {
      message: "Field 'mediaType' doesn't exist on type 'ContainerRepositoryTag'",
      extensions: { code: "undefinedField" },
    },
  ],
};

describe("images", () => {
  test("come 20 with a request, the first with the second", async () => {
    const { service, asked, bodies } = await query([
      { has: '"after":null', answer: tags([node("v1", "1")], "c1") },
      { has: '"after":"c1"', answer: tags([node("v2", "2")], "c2") },
      { has: '"after":"c2"', answer: tags([node("v3", "3")]) },
    ]);
    const images = service.images(project)[Symbol.asyncIterator]();
    expect((await images.next()).value).toEqual({
      tags: ["v1"],
      digest: hex("1"),
      pushed: "2023-12-21T20:09:08.000Z",
      size: 1_234_509_876,
      sizeKind: "unexplained",
      mediaType: "application/vnd.oci.image.index.v1+json",
    });
    expect(asked.length + bodies.length).toBe(2);
    expect((await images.next()).value).toMatchObject({ tags: ["v2"] });
    expect((await images.next()).value).toMatchObject({ tags: ["v3"] });
    expect((await images.next()).done).toBe(true);
    expect(asked.length + bodies.length).toBe(4);
    expect(bodies[0]).toContain("gid://gitlab/ContainerRepository/1");
  });

  test("of an older GitLab, without what it does not know: `created` is then that of the config", async () => {
    const { mediaType: _type, publishedAt: _published, ...older } = node("v1", "1");
    const { service } = await query([
      { has: "mediaType", answer: tooOld },
      { has: "createdAt totalSize }", answer: tags([older]) },
    ]);
    expect(await Array.fromAsync(service.images(project))).toEqual([
      {
        tags: ["v1"],
        digest: hex("1"),
        created: "2023-12-20T20:09:08.000Z",
        size: 1_234_509_876,
        sizeKind: "unexplained",
      },
    ]);
  });

  test("end where cursors repeat, and leave out what is no tag, digest or time", async () => {
    const odd = { name: "ok", digest: "\u001b[2J", createdAt: "\u001b[2J", totalSize: -1 };
    const { service, bodies } = await query([
      { has: "null", answer: tags([odd, { name: "\u001b[2J" }, null], "c1") },
      { has: '"c1"', answer: tags([], "c1") },
    ]);
    expect(await Array.fromAsync(service.images(project))).toEqual([{ tags: ["ok"] }]);
    expect(bodies).toHaveLength(2);
  });

  test("say what GraphQL says went wrong, though its status is 200", async () => {
    const message =
      "The resource that you are attempting to access does not exist or you don't have permission to perform this action";
    const { service } = await query([{ has: "tags", answer: { errors: [{ message }] } }]);
    expect(await failure(Array.fromAsync(service.images(project)))).toMatchObject({
      code: "DENIED",
      message: expect.stringContaining(message) as string,
    });
  });

  test("with a CI job's token come by REST, one by one", async () => {
    const list: Exchange = {
      page: `${registryPage}#list-registry-repository-tags`,
      url: `${tagsUrl}?per_page=100`,
      answer: [
        { name: "v10.0.0", path: "group/project:v10.0.0", location: `${host}/group/project:v10.0.0` },
        { name: "gone", path: "group/project:gone", location: `${host}/group/project:gone` },
        { name: "../../../user" },
      ],
    };
    const details: Exchange = {
      page: `${registryPage}#get-details-of-a-registry-repository-tag`,
      url: `${tagsUrl}/v10.0.0`,
      answer: {
        name: "v10.0.0",
        path: "group/project:latest",
        location: "gitlab.example.com:5000/group/project:latest",
        revision: "e9ed9d87c881d8c2fd3a31b41904d01ba0b836e7fd15240d774d811a1c248181",
        short_revision: "e9ed9d87c",
        digest: "sha256:c3490dcf10ffb6530c1303522a1405dfaf7daecd8f38d3e6a1ba19ea1f8a1751",
        created_at: "2019-01-06T16:49:51.272+00:00",
        total_size: 350_224_384,
      },
    };
    const gone = { ...details, url: `${tagsUrl}/gone`, status: 404, answer: { message: "404 Tag Not Found" } };
    const { service, sent, asked } = await speak([found, list, details, gone], { credential: job });
    expect(await Array.fromAsync(service.images(project))).toEqual([
      {
        tags: ["v10.0.0"],
        digest: "sha256:c3490dcf10ffb6530c1303522a1405dfaf7daecd8f38d3e6a1ba19ea1f8a1751",
        created: "2019-01-06T16:49:51.272Z",
        size: 350_224_384,
        sizeKind: "unexplained",
      },
      { tags: ["gone"] },
    ]);
    expect(asked).toHaveLength(4);
    expect(sent.every((headers) => headers["job-token"] === "job-secret" && !("private-token" in headers))).toBe(true);
  });

  test("with a deploy token come by the distribution API, and the API of GitLab is not asked", async () => {
    const list = { page: registryPage, url: `https://${host}/v2/group/project/tags/list?n=1000`, answer: { tags: [] } };
    const { service, asked } = await speak([list], { credential: deploy });
    expect(await Array.fromAsync(service.images(project))).toEqual([]);
    expect(await service.describeRepository(project)).toEqual({ name: project, tags: 0 });
    expect(asked).toEqual([`GET ${list.url}`, `GET ${list.url}`]);
  });
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

describe("immutability", () => {
  const rule = (id: number, tagNamePattern: string, immutable: boolean): unknown => ({
    id: `gid://gitlab/ContainerRegistry::Protection::TagRule/${id}`,
    tagNamePattern,
    immutable,
  });
  const rules = (...nodes: readonly unknown[]): Query => ({
    has: "containerProtectionTagRules",
    answer: { data: { project: { containerProtectionTagRules: { nodes } } } },
  });
  const done = (has: string, errors: readonly string[] = []): Query => ({
    has,
    answer: { data: { mutation: { errors } } },
  });
  const created = "mutation($input: createContainerProtectionTagRuleInput!)";
  const deleted = "mutation($input: DeleteContainerProtectionTagRuleInput!)";
  const scope = `project ${project}`;

  test.each([
    [[], { tags: "mutable", scope }],
    [[rule(1, "v.*", false)], { tags: "mutable", scope }],
    [
      [rule(1, "^v.*", true), rule(2, "latest", false)],
      { tags: "mutable", except: ["^v.*"], patterns: "regex", scope },
    ],
    [[rule(1, "^v.*", true), rule(2, ".*", true)], { tags: "immutable", scope }],
  ])("is read from rules %j", async (nodes, expected) => {
    const { service } = await query([rules(...nodes)]);
    expect(await service.immutability(project)).toEqual(expected);
  });

  test("is set with new rules first, and leaves those for roles alone", async () => {
    const { service, bodies } = await query([
      rules(rule(1, "^old", true), rule(2, "latest", false), rule(3, "^v1", true)),
      done(created),
      done(deleted),
    ]);
    await service.setImmutability(project, { tags: "mutable", except: ["^v1", "^v2"], patterns: "regex" });
    expect(bodies[1]).toContain('"variables":{"input":{"projectPath":"group/project","tagNamePattern":"^v2"}}');
    expect(bodies[2]).toContain("TagRule/1");
  });

  test("is set with old rules first where there is no room", async () => {
    const old = ["1", "2", "3", "4", "5"].map((text, index) => rule(index, text, true));
    const { service } = await query([
      rules(...old),
      ...old.slice(1).map(() => done(deleted)),
      done(deleted),
      done(created),
    ]);
    await service.setImmutability(project, { tags: "immutable" });
  });

  test("of wildcards is set as regular expressions of whole tags", async () => {
    const { service, bodies } = await query([rules(), done(created)]);
    await service.setImmutability(project, { tags: "mutable", except: ["v1.*"], patterns: "wildcard" });
    expect(bodies[1]).toContain(JSON.stringify({ tagNamePattern: "^v1\\..*$" }).slice(1, -1));
  });

  test.each([
    [{ tags: "immutable", except: ["dev"] }, []],
    [{ tags: "mutable", except: ["x".repeat(101)] }, []],
    [{ tags: "mutable", except: ["a", "b", "c", "d", "e"] }, [rules(rule(1, "latest", false))]],
  ] as const)("that GitLab has not is refused: %j", async (wanted, queries) => {
    const { service } = await query(queries);
    expect(await failure(service.setImmutability(project, wanted))).toMatchObject({ code: "INVALID" });
  });

  test("says what a rule's answer says, and when GitLab is too old", async () => {
    const taken = await query([rules(), done(created, ["Tag name pattern has already been taken"])]);
    expect(await failure(taken.service.setImmutability(project, { tags: "immutable" }))).toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("already been taken") as string,
    });
    const old = await query([{ has: "project", answer: tooOld }]);
    expect(await failure(old.service.immutability(project))).toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("too old") as string,
    });
  });

  test("is not asked for with a CI job's token, which GraphQL does not take", async () => {
    const { service, asked } = await speak([found], { credential: job });
    expect(await failure(service.immutability(project))).toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("CI job token") as string,
    });
    expect(asked).toHaveLength(1);
  });
});

describe("cleanup policies", () => {
  const url = `${api}/projects/group%2Fproject`;
  const answer = (enabled: boolean): unknown => ({
    id: 3,
    container_expiration_policy: {
      cadence: "7d",
      enabled,
      keep_n: 10,
      older_than: "90d",
      name_regex: ".*",
      name_regex_keep: null,
      next_run_at: "2020-01-07T21:42:58.658Z",
    },
  });
  const document = {
    cadence: "7d",
    enabled: true,
    keep_n: 10,
    older_than: "90d",
    name_regex: ".*",
    name_regex_keep: null,
  };
  const page = `${projectsPage}#update-a-project`;
  const scope = `project ${project}`;

  test.each([
    [true, { dialect: "gitlab", document, scope }],
    [false, undefined],
  ])("enabled %s", async (enabled, expected) => {
    const { service } = await speak([found, { page, url, answer: answer(enabled) }]);
    expect(await service.lifecycle(project)).toEqual(expected);
  });

  test("are set for the project, and switched off", async () => {
    const attributes = { enabled: true, cadence: "7d", keep_n: 10, older_than: "90d", name_regex: ".*" };
    const set = {
      page,
      method: "PUT",
      url,
      sends: { container_expiration_policy_attributes: attributes },
      answer: answer(true),
    } as const;
    const off = {
      ...set,
      sends: { container_expiration_policy_attributes: { enabled: false } },
      answer: answer(false),
    };
    const { service, asked } = await speak([found, set, off]);
    expect(await service.setLifecycle(project, attributes)).toEqual({ dialect: "gitlab", document, scope });
    await service.deleteLifecycle(project);
    expect(asked.filter((line) => line.startsWith("PUT"))).toHaveLength(2);
  });

  test("that are none are refused before anything is asked", async () => {
    const { service, asked } = await speak([]);
    expect(await failure(service.setLifecycle(project, []))).toMatchObject({ code: "INVALID" });
    expect(asked).toEqual([]);
  });

  test("that GitLab refuses say which attribute is wrong", async () => {
    const message = { "container_expiration_policy.keep_n": ["is not included in the list"] };
    const { service } = await speak([
      found,
      {
        page,
        method: "PUT",
        url,
        sends: { container_expiration_policy_attributes: { enabled: true, keep_n: 3 } },
        status: 400,
        answer: { message },
      },
    ]);
    expect(await failure(service.setLifecycle(project, { keep_n: 3 }))).toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("keep_n") as string,
    });
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
      hint: "set hosts.registry.example.api in gantry.yaml",
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
