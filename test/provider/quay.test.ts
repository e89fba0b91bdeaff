import { describe, expect, test } from "vitest";
import { userPassword } from "../../src/auth/credential.ts";
import { detect } from "../../src/provider/detect.ts";
import { quay } from "../../src/provider/quay/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { providerContract } from "../contract/provider.ts";
import { recorded, serviceContext, silent, type Exchange } from "./support.ts";

const host = "quay-server.example.com";
const api = `https://${host}/api/v1`;
const oauth = { ...userPassword("$oauthtoken", "O4uthT0ken"), origin: "auth.json" };
const robot = { ...userPassword("quayadmin+builder", "r0botT0ken"), origin: "auth.json" };
const useGuide = "https://docs.redhat.com/en/documentation/red_hat_quay/3/html/use_red_hat_quay/";
const apiGuide = "https://docs.redhat.com/en/documentation/red_hat_quay/3.15/html/red_hat_quay_api_guide/";
const source = "https://github.com/quay/quay/blob/ffba0c70e2d8d522290a4fbbaa704dbf2fc37f34/endpoints/";

function connected(
  exchanges: readonly Exchange[],
  { at = host, ...more }: Parameters<typeof serviceContext>[1] & { readonly at?: string } = {},
): {
  readonly service: Promise<ServiceRegistry>;
  readonly asked: string[];
  readonly sent: readonly Readonly<Record<string, string>>[];
} {
  const { transport, asked, sent } = recorded(...exchanges);
  return { service: quay.connect(serviceContext(at, { transport, ...more })), asked, sent };
}

/** An error as Quay writes it: endpoints/exception.py. */
function fault(status: number, type: string, detail: string): Pick<Exchange, "status" | "answer"> {
  const problem = {
    detail,
    error_message: detail,
    error_type: type,
    title: type,
    type: `${api}/error/${type}`,
    status,
  };
  return { status, answer: problem };
}

providerContract({
  provider: quay,
  hosts: ["quay.io", "Quay.io:443"],
  lookAlikes: ["quay.io:8443", "xquay.io", "quay.io.", "www.quay.io", host],
  challenges: [
    // endpoints/v2/__init__.py of the source: the realm is the server's own /v2/auth, the service its own host.
    { host: "quay.io", header: 'Bearer realm="https://quay.io/v2/auth",service="quay.io"' },
    { host, header: `Bearer realm="https://${host}/v2/auth",service="${host}"` },
    {
      host: "registry.example:8443",
      header:
        'Bearer realm="https://registry.example:8443/v2/auth",service="registry.example:8443",scope="repository:a/b:pull"',
    },
  ],
  silent: silent(quay, "quay.io", oauth),
});

test("under any name it is known by the challenge of its own /v2/auth", async () => {
  const { transport } = recorded({
    page: `${source}v2/__init__.py`,
    url: `https://${host}/v2/`,
    status: 401,
    headers: { "www-authenticate": `Bearer realm="https://${host}/v2/auth",service="${host}"` },
    answer: "true",
  });
  expect(await detect(host, transport)).toMatchObject({ provider: quay, by: "challenge" });
});

describe("images", () => {
  const digest = "sha256:57583a1b9c0a7509d3417387b4f43acf80d08cdcf5266ac87987be3f8f919d5d";
  const tags = (number: number, answer: object): Exchange => ({
    page: `${useGuide}viewing-tag-history-v2-api`,
    url: `${api}/repository/quayadmin/busybox/tag/?onlyActiveTags=true&limit=100&page=${number}`,
    answer,
  });
  const one = (name: string, more: object = {}): object => ({
    name,
    reversion: false,
    start_ts: 1717680780,
    manifest_digest: digest,
    is_manifest_list: false,
    size: 2275314,
    last_modified: "Thu, 06 Jun 2024 13:33:00 -0000",
    ...more,
  });
  const list = async (service: Promise<ServiceRegistry>): Promise<readonly object[]> =>
    Array.fromAsync((await service).images("quayadmin/busybox"));

  test("come with digests, times and sizes, in one request a page, without a token where they are public", async () => {
    const index = one("multi", {
      is_manifest_list: true,
      size: 0,
      child_manifests_presence: { [digest]: true, x: false },
    });
    const { service, asked, sent } = connected([
      tags(1, { tags: [one("test-two")], page: 1, has_additional: true }),
      tags(2, { tags: [index, one("kept", { immutable: true })], page: 2, has_additional: false }),
    ]);
    const [first, second, third] = await list(service);
    const pushed = "2024-06-06T13:33:00.000Z";
    expect(first).toEqual({ tags: ["test-two"], digest, pushed, size: 2275314, sizeKind: "manifest" });
    expect(second).toEqual({ tags: ["multi"], digest, pushed, children: [digest] });
    expect(third).toMatchObject({ tags: ["kept"], immutable: true });
    expect(asked).toHaveLength(2);
    expect(sent.some((headers) => "authorization" in headers)).toBe(false);
  });

  test("the first is there after one request", async () => {
    const { service, asked } = connected([tags(1, { tags: [one("a")], page: 1, has_additional: true })]);
    const found = (await service).images("quayadmin/busybox")[Symbol.asyncIterator]();
    expect((await found.next()).value).toMatchObject({ tags: ["a"] });
    expect(asked).toHaveLength(1);
  });

  test("pages that repeat end", async () => {
    const page = { tags: [one("a")], page: 1, has_additional: true };
    const { service, asked } = connected([tags(1, page), tags(2, page)]);
    expect(await list(service)).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  test("hostile names, digests, times and sizes are left out", async () => {
    const bad = { manifest_digest: "sha256:\u001b[31m", start_ts: 1e300, size: "huge" };
    const { service } = connected([tags(1, { tags: [one("ok", bad), one("\u001b[2J"), "x"], has_additional: false })]);
    expect(await list(service)).toEqual([{ tags: ["ok"] }]);
  });

  test("of no repository are NAME_UNKNOWN; what is not Quay is told from that", async () => {
    const absent = { ...tags(1, {}), ...fault(404, "not_found", "Not Found") };
    await expect(list(connected([absent]).service)).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
    const other = { ...tags(1, {}), status: 404, answer: "<html>nginx</html>" };
    await expect(list(connected([other]).service)).rejects.toMatchObject({ code: "NETWORK" });
    const page = { ...tags(1, {}), answer: "<html>welcome</html>" };
    await expect(list(connected([page]).service)).rejects.toMatchObject({ code: "NETWORK" });
  });

  test("a limit that answers with a web page is understood", async () => {
    const limited = { ...tags(1, {}), status: 429, answer: "<html><h1>429 Too Many Requests</h1></html>" };
    await expect(list(connected([limited]).service)).rejects.toMatchObject({
      code: "TOOMANYREQUESTS",
      retryable: true,
      message: expect.not.stringContaining("<html>"),
      hint: expect.stringContaining("wait a minute"),
    });
  });

  test.each([
    ["expired_token", "The access token provided has expired", /expired/],
    ["invalid_token", "Requires authentication", /OAuth token is wrong/],
  ])("a token that is refused as %s is told of, and never shown", async (type, detail, hint) => {
    const { service } = connected([{ ...tags(1, {}), ...fault(401, type, detail) }], { credential: oauth });
    const error: unknown = await list(service).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAUTHORIZED", hint: expect.stringMatching(hint) });
    expect(JSON.stringify([String(error), error])).not.toContain("O4uthT0ken");
  });
});

describe("the token", () => {
  const tags: Exchange = {
    page: `${source}api/tag.py`,
    url: "https://quay.io/api/v1/repository/a/b/tag/?onlyActiveTags=true&limit=100&page=1",
    answer: { tags: [], page: 1, has_additional: false },
  };
  const authorizationWith = async (more: Parameters<typeof serviceContext>[1], at = "quay.io"): Promise<unknown> => {
    const { service, sent } = connected([{ ...tags, url: tags.url.replace("quay.io", at) }], { at, ...more });
    await Array.fromAsync((await service).images("a/b"));
    return sent[0]?.["authorization"];
  };

  test("is the password of $oauthtoken, else that of the variable, which is for quay.io alone", async () => {
    const env = { QUAY_OAUTH_TOKEN: "fromEnv" };
    expect(await authorizationWith({ credential: oauth, env })).toBe("Bearer O4uthT0ken");
    expect(await authorizationWith({ credential: robot, env })).toBe("Bearer fromEnv");
    expect(await authorizationWith({ env })).toBe("Bearer fromEnv");
    expect(await authorizationWith({ credential: robot, env }, host)).toBeUndefined();
    expect(await authorizationWith({ credential: robot })).toBeUndefined();
  });

  test("is wanted for what changes something: a robot's login is not sent, and the way out told", async () => {
    const { service, asked } = connected([], { credential: robot });
    await expect((await service).createRepository("quayadmin/new")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      message: expect.stringContaining("quayadmin+builder"),
      hint: expect.stringMatching(/repo:create.*\$oauthtoken/),
      credential: "auth.json",
    });
    expect(asked).toEqual([]);
  });

  test("what it lacks is named", async () => {
    const denied: Exchange = {
      page: `${source}exception.py`,
      url: `${api}/repository/quayadmin/busybox/autoprunepolicy/`,
      ...fault(403, "insufficient_scope", "Unauthorized"),
    };
    const { service } = connected([denied], { credential: oauth });
    await expect((await service).lifecycle("quayadmin/busybox")).rejects.toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("repo:admin"),
    });
  });

  test("is not sent in plain text", async () => {
    const { service, asked } = connected([], { credential: oauth, api: () => "http://quay.example" });
    await expect(Array.fromAsync((await service).images("a/b"))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(asked).toEqual([]);
  });
});

describe("repositories", () => {
  const listed = (query: string, answer: object): Exchange => ({
    page: `${apiGuide}policy-api`,
    url: `${api}/repository?${query}public=true&last_modified=true`,
    answer,
  });
  const busybox = {
    namespace: "quayadmin",
    name: "busybox",
    description: null,
    is_public: false,
    kind: "image",
    state: "MIRROR",
    is_starred: false,
    quota_report: { quota_bytes: 2280675, configured_quota: 2199023255552 },
  };
  const whoAmI: Exchange = {
    page: `${source}api/user.py`,
    url: `${api}/user/`,
    answer: {
      anonymous: false,
      username: "quayadmin",
      quota_report: { quota_bytes: 2280675, configured_quota: 2199023255552 },
      organizations: [{ name: "test-org" }, { name: "../evil" }],
    },
  };

  test("of a namespace are listed, page by page", async () => {
    const next = listed("namespace=quayadmin&", {
      repositories: [
        { namespace: "quayadmin", name: "two", last_modified: 1717680780, state: "NORMAL" },
        { name: "x y" },
      ],
    });
    const { service, asked } = connected([
      listed("namespace=quayadmin&", { repositories: [busybox], next_page: "gAAAA=" }),
      { ...next, url: `${next.url}&next_page=gAAAA%3D` },
    ]);
    expect(await Array.fromAsync((await service).listRepositories("quayadmin/"))).toEqual([
      { name: "quayadmin/busybox", visibility: "private", size: 2280675, state: "mirror" },
      { name: "quayadmin/two", updated: "2024-06-06T13:33:00.000Z" },
    ]);
    expect(asked).toHaveLength(2);
  });

  test("pages that lead in a circle end", async () => {
    const first = listed("namespace=quayadmin&", { repositories: [busybox], next_page: "same" });
    const { service, asked } = connected([first, { ...first, url: `${first.url}&next_page=same` }]);
    await Array.fromAsync((await service).listRepositories("quayadmin/"));
    expect(asked).toHaveLength(2);
  });

  test("without a namespace are those of the token's, else at a Quay of one's own what is public", async () => {
    const empty = { repositories: [] };
    const own = connected([whoAmI, listed("namespace=quayadmin&", empty), listed("namespace=test-org&", empty)], {
      credential: oauth,
    });
    await Array.fromAsync((await own.service).repositories());
    expect(own.asked).toHaveLength(3);
    const all = connected([listed("", { repositories: [busybox] })]);
    expect(await Array.fromAsync((await all.service).repositories())).toEqual(["quayadmin/busybox"]);
    const everything = connected([], { at: "quay.io" });
    await expect(Array.fromAsync((await everything.service).listRepositories())).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("quay.io/NAMESPACE"),
    });
    expect(everything.asked).toEqual([]);
  });

  test("one is described, or undefined where there is none", async () => {
    const url = `${api}/repository/quayadmin/busybox?includeTags=false`;
    const page = `${useGuide}viewing-and-modifying-tags-api`;
    const { service } = connected([{ page, url, answer: { ...busybox, state: "NORMAL", is_public: true } }]);
    expect(await (await service).describeRepository("quayadmin/busybox")).toEqual({
      name: "quayadmin/busybox",
      visibility: "public",
      size: 2280675,
    });
    const none = connected([{ page, url, ...fault(404, "not_found", "Not Found") }]);
    expect(await (await none.service).describeRepository("quayadmin/busybox")).toBeUndefined();
    await expect((await service).describeRepository("quayadmin")).rejects.toMatchObject({ code: "INVALID" });
    await expect((await service).describeRepository("a/../b")).rejects.toMatchObject({ code: "INVALID" });
  });

  test("one is made private, and one that is there is told from a bad request", async () => {
    const create: Exchange = {
      page: `${apiGuide}policy-api`,
      method: "POST",
      url: `${api}/repository`,
      sends: { namespace: "quayadmin", repository: "new", visibility: "private", description: "", repo_kind: "image" },
      status: 201,
      answer: { namespace: "quayadmin", name: "new", kind: "image" },
    };
    const made = connected([create], { credential: oauth });
    expect(await (await made.service).createRepository("quayadmin/new")).toBe("created");
    const refused = { ...create, ...fault(400, "invalid_request", "Repository already exists") };
    const url = `${api}/repository/quayadmin/new?includeTags=false`;
    const there = connected([refused, { page: create.page, url, answer: busybox }], { credential: oauth });
    expect(await (await there.service).createRepository("quayadmin/new")).toBe("exists");
    const license = { ...create, ...fault(402, "exceeds_license", "Payment Required") };
    const poor = connected([license], { credential: oauth });
    await expect((await poor.service).createRepository("quayadmin/new")).rejects.toMatchObject({ code: "DENIED" });
  });

  test("one with images is deleted by force alone", async () => {
    const remove: Exchange = {
      page: `${source}api/repository.py`,
      method: "DELETE",
      url: `${api}/repository/quayadmin/busybox`,
      status: 204,
    };
    const url = `${api}/repository/quayadmin/busybox/tag/?onlyActiveTags=true&limit=1&page=1`;
    const full = connected([{ page: remove.page, url, answer: { tags: [{ name: "v1" }] } }, remove], {
      credential: oauth,
    });
    await expect((await full.service).deleteRepository("quayadmin/busybox")).rejects.toMatchObject({
      code: "CONFLICT",
    });
    await (await full.service).deleteRepository("quayadmin/busybox", { force: true });
    expect(full.asked.slice(1)).toEqual([`DELETE ${remove.url}`]);
    const empty = connected([{ page: remove.page, url, answer: { tags: [] } }, remove], { credential: oauth });
    await (await empty.service).deleteRepository("quayadmin/busybox");
    expect(empty.asked.at(-1)).toBe(`DELETE ${remove.url}`);
  });

  test("the space of all namespaces of the token's is told", async () => {
    const organization: Exchange = {
      page: `${source}api/organization.py`,
      url: `${api}/organization/test-org`,
      answer: { name: "test-org", quota_report: { quota_bytes: 5, configured_quota: null } },
    };
    const { service } = connected([whoAmI, organization], { credential: oauth });
    expect(await (await service).allowances()).toEqual([
      {
        what: "storage of quayadmin",
        unit: "bytes",
        used: 2280675,
        limit: 2199023255552,
        remaining: 2199020974877,
      },
      { what: "storage of test-org", unit: "bytes", used: 5, unlimited: true },
    ]);
  });
});

describe("search", () => {
  const found = (name: string, stars = 0): object => ({
    kind: "repository",
    title: "repo",
    namespace: { title: "org", kind: "organization", name: "coreos" },
    name,
    description: "\u001b[1mkey-value",
    is_public: true,
    stars,
  });
  const search = (number: number, answer: object): Exchange => ({
    page: `${source}api/search.py`,
    url: `${api}/find/repositories?query=etcd&includeUsage=true&page=${number}`,
    answer,
  });

  test("ends where the service gives its last page again and again", async () => {
    const first = { results: [found("etcd", 7), found("etcd-git")], has_additional: true, page: 1, page_size: 10 };
    const last = { results: [found("etcd-x")], has_additional: true, page: 2, page_size: 10 };
    const { service, asked } = connected([search(1, first), search(2, last), search(3, last)]);
    const results = await Array.fromAsync((await service).search({ term: "etcd" }));
    expect(results.map(({ reference }) => reference)).toEqual(
      ["etcd", "etcd-git", "etcd-x"].map((name) => `${host}/coreos/${name}`),
    );
    expect(results[0]).toMatchObject({ stars: 7, description: " [1mkey-value" });
    expect(asked).toHaveLength(3);
    expect(await Array.fromAsync((await service).search({ term: "etcd", stars: 5 }))).toHaveLength(1);
    expect(await Array.fromAsync((await service).search({ term: "etcd", limit: 2 }))).toHaveLength(2);
  });

  test("what Quay does not have is no filter", async () => {
    const { service } = connected([]);
    await expect(Array.fromAsync((await service).search({ term: "etcd", official: true }))).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
  });
});
