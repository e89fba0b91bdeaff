import { describe, expect, test } from "vitest";
import { dockerHub } from "../../src/provider/dockerhub/provider.ts";
import { providerContract } from "../contract/provider.ts";
import { ann, connected, hub, jwt, login, now, page } from "./dockerhub-support.ts";
import { silent, type Exchange } from "./support.ts";

providerContract({
  provider: dockerHub,
  hosts: ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "Docker.io:443"],
  lookAlikes: ["docker.io:5000", "hub.docker.com", "auth.docker.io", "docker.com", "xdocker.io", "docker.io."],
  challenges: [
    // https://docs.docker.com/docker-hub/usage/pulls/ and https://distribution.github.io/distribution/spec/auth/token/
    {
      host: "registry-1.docker.io",
      header: 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    },
    {
      host: "mirror.example",
      header:
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:samalba/my-app:pull,push"',
    },
  ],
  silent: silent(dockerHub, "docker.io", ann),
});

const listed: Exchange = {
  page: `${page}#tag/repositories/operation/listNamespaceRepositories`,
  url: `${hub}/namespaces/docker/repositories?page_size=100&ordering=name`,
  answer: {
    count: 287,
    next: "https://hub.docker.com/v2/namespaces/docker/repositories?page=2&page_size=2",
    previous: null,
    results: [
      {
        name: "highland_builder",
        namespace: "docker",
        repository_type: "image",
        status: 1,
        status_description: "active",
        description: "Image for performing Docker build requests",
        is_private: false,
        star_count: 7,
        pull_count: 15722123,
        last_updated: "2023-06-20T10:44:45.459826Z",
        last_modified: "2024-10-16T13:48:34.145251Z",
        date_registered: "2015-05-19T21:13:35.937763Z",
        affiliation: "",
        storage_size: 488723114800,
      },
    ],
  },
};

describe("repositories", () => {
  const second: Exchange = {
    page: listed.page,
    url: `${listed.url}&page=2`,
    answer: {
      count: 287,
      next: null,
      results: [
        { name: "whalesay", namespace: "docker", status_description: "active", is_private: false, star_count: 757 },
        { name: "\u001b[2Jbad", namespace: "docker" },
        { name: "no-namespace" },
      ],
    },
  };

  test("are listed without a login, page by page, and what has no name that can be is left out", async () => {
    const { service, asked } = connected([listed, second]);
    const found = await Array.fromAsync((await service).listRepositories("docker/"));
    expect(found.map(({ name }) => name)).toEqual(["docker/highland_builder", "docker/whalesay"]);
    expect(found[0]).toEqual({
      name: "docker/highland_builder",
      created: "2015-05-19T21:13:35.937Z",
      updated: "2023-06-20T10:44:45.459Z",
      size: 488723114800,
      description: "Image for performing Docker build requests",
      visibility: "public",
      stars: 7,
      pulls: 15722123,
    });
    expect(asked).toHaveLength(2);
  });

  test("the first is there before the second page is asked for", async () => {
    const { service, asked } = connected([listed]);
    const found = (await service).listRepositories("docker")[Symbol.asyncIterator]();
    expect((await found.next()).value).toMatchObject({ name: "docker/highland_builder" });
    expect(asked).toHaveLength(1);
  });

  test("part of a name is asked for, and those that merely contain it are left out", async () => {
    const { service } = connected([
      {
        page: listed.page,
        url: `${hub}/namespaces/docker/repositories?page_size=100&name=whale&ordering=name`,
        answer: {
          next: null,
          results: [
            { name: "whalesay", namespace: "docker" },
            { name: "the-whale", namespace: "docker" },
          ],
        },
      },
    ]);
    const found = await Array.fromAsync((await service).repositories("docker/whale"));
    expect(found).toEqual(["docker/whalesay"]);
  });

  test("without a namespace they are those of the login", async () => {
    const { service, sent } = connected(
      [login, { page, url: `${hub}/namespaces/ann/repositories?page_size=100&ordering=name`, answer: { results: [] } }],
      { credential: ann },
    );
    expect(await Array.fromAsync((await service).listRepositories())).toEqual([]);
    expect(sent.map(({ authorization }) => authorization)).toEqual([undefined, `Bearer ${jwt("one")}`]);
  });

  test("without a namespace or a login, it says what to name, and asks nobody", async () => {
    const { service, asked } = connected([]);
    await expect(Array.fromAsync((await service).listRepositories())).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("docker.io/library"),
    });
    expect(asked).toEqual([]);
  });

  test("pages that lead in a circle end", async () => {
    const { service, asked } = connected([listed, { ...listed, url: `${listed.url}&page=2` }]);
    const found = await Array.fromAsync((await service).listRepositories("docker/"));
    expect(found).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  test("a link to another host is followed at Docker Hub alone", async () => {
    const { service, asked } = connected([
      { ...listed, answer: { ...(listed.answer as object), next: "http://169.254.169.254/?page=2" } },
      second,
    ]);
    await Array.fromAsync((await service).listRepositories("docker/"));
    expect(asked.every((url) => url.startsWith("GET https://hub.docker.com/"))).toBe(true);
  });

  test("one that is not there is undefined, a one-part name is in library", async () => {
    const { service, asked } = connected([
      {
        page,
        url: `${hub}/namespaces/library/repositories/none`,
        status: 404,
        answer: { message: "object not found" },
      },
    ]);
    expect(await (await service).describeRepository("none")).toBeUndefined();
    expect(asked).toEqual([`GET ${hub}/namespaces/library/repositories/none`]);
  });

  test.each(["a/b/c", "Upper/case", "../x", ""])("the name %j is refused, and nobody asked", async (name) => {
    const { service, asked } = connected([]);
    await expect((await service).describeRepository(name)).rejects.toMatchObject({ code: "INVALID" });
    expect(asked).toEqual([]);
  });
});

const created = {
  name: "my-app",
  namespace: "myorganization",
  repository_type: "image",
  status: 1,
  status_description: "Active",
  is_private: false,
  star_count: 0,
  pull_count: 0,
  last_updated: "2025-01-20T10:30:00Z",
  date_registered: "2025-01-20T10:30:00Z",
  immutable_tags_settings: { enabled: false, rules: [] },
  storage_size: null,
};
const app = `${hub}/namespaces/myorganization/repositories/my-app`;
const getApp = (answer: unknown): Exchange => ({
  page: `${page}#tag/repositories/operation/GetRepository`,
  url: app,
  answer,
});

describe("making and deleting a repository", () => {
  const create: Exchange = {
    page: `${page}#tag/repositories/operation/CreateRepository`,
    method: "POST",
    url: `${hub}/namespaces/myorganization/repositories`,
    sends: { namespace: "myorganization", name: "my-app", registry: "docker.io" },
    status: 201,
    answer: created,
  };
  const remove: Exchange = {
    page: "https://github.com/docker/hub-tool/blob/main/pkg/hub/repositories.go",
    method: "DELETE",
    url: `${hub}/repositories/myorganization/my-app/`,
    status: 202,
  };
  const oneTag = (results: unknown): Exchange => ({ page, url: `${app}/tags?page_size=1`, answer: { results } });

  test("a new one is made, one that is there is told from a bad request", async () => {
    const { service } = connected([login, create], { credential: ann });
    expect(await (await service).createRepository("myorganization/my-app")).toBe("created");
    const refused = { ...create, status: 400, answer: { message: "object already exists" } };
    const again = connected([login, refused, getApp(created)], { credential: ann });
    expect(await (await again.service).createRepository("myorganization/my-app")).toBe("exists");
    const absent = { ...getApp({}), status: 404 };
    const bad = connected([login, refused, absent], { credential: ann });
    await expect((await bad.service).createRepository("myorganization/my-app")).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("object already exists"),
    });
  });

  test("one with images is deleted by force alone", async () => {
    const { service, asked } = connected([login, oneTag([{ name: "v1" }]), remove], { credential: ann });
    await expect((await service).deleteRepository("myorganization/my-app")).rejects.toMatchObject({ code: "CONFLICT" });
    expect(asked).not.toContain(`DELETE ${remove.url}`);
    await (await service).deleteRepository("myorganization/my-app", { force: true });
    expect(asked.at(-1)).toBe(`DELETE ${remove.url}`);
  });

  test("an empty one is deleted", async () => {
    const { service, asked } = connected([login, oneTag([]), remove], { credential: ann });
    await (await service).deleteRepository("myorganization/my-app");
    expect(asked.at(-1)).toBe(`DELETE ${remove.url}`);
  });
});

describe("images", () => {
  const index = `sha256:${"1".repeat(64)}`;
  const amd64 = `sha256:${"2".repeat(64)}`;
  const attached = `sha256:${"3".repeat(64)}`;
  const tag = (name: string, more: object = {}): object => ({
    id: 0,
    images: [
      { architecture: "amd64", variant: null, digest: amd64, os: "linux", size: 3, status: "active" },
      { architecture: "arm64", variant: "v8", digest: attached, os: "linux", size: 3, status: "active" },
      { architecture: "unknown", digest: attached, os: "unknown", size: 1 },
    ],
    last_updated: "2021-01-05T21:06:53.506400Z",
    name,
    full_size: 3_418_409,
    tag_status: "active",
    tag_last_pulled: "2021-01-06T21:06:53.506400Z",
    tag_last_pushed: "2021-01-05T21:06:53.506400Z",
    ...more,
  });
  const tags = (number: number, results: readonly object[], next: string | null): Exchange => ({
    page: `${page}#tag/repositories/operation/ListRepositoryTags`,
    url: `${hub}/namespaces/library/repositories/alpine/tags?page_size=100${number > 1 ? `&page=${number}` : ""}`,
    answer: { count: 3, next, previous: null, results },
  });
  const next = `${hub}/namespaces/library/repositories/alpine/tags?page=2&page_size=100`;

  test("come with digests, times, sizes and platforms, in one request a page", async () => {
    const first = tag("3.20", { digest: index, media_type: "application/vnd.oci.image.index.v1+json" });
    const { service, asked } = connected([tags(1, [first], next), tags(2, [tag("old")], null)]);
    const found = await Array.fromAsync((await service).images("library/alpine"));
    expect(found[0]).toEqual({
      tags: ["3.20"],
      digest: index,
      mediaType: "application/vnd.oci.image.index.v1+json",
      pushed: "2021-01-05T21:06:53.506Z",
      pulled: "2021-01-06T21:06:53.506Z",
      size: 3_418_409,
      sizeKind: "unexplained",
      platforms: ["linux/amd64", "linux/arm64/v8"],
      children: [amd64, attached, attached],
    });
    expect(found[1]).not.toHaveProperty("digest");
    expect(asked).toHaveLength(2);
  });

  test("with a login, the first is there after two requests", async () => {
    const { service, asked } = connected([login, tags(1, [tag("3.20")], next)], { credential: ann });
    const found = (await service).images("alpine")[Symbol.asyncIterator]();
    expect((await found.next()).value).toMatchObject({ tags: ["3.20"] });
    expect(asked).toHaveLength(2);
  });

  test("hostile names, digests, times and sizes are left out", async () => {
    const bad = { digest: "sha256:\u001b[31m", tag_last_pushed: "yesterday\u0007", full_size: -1, images: "none" };
    const { service } = connected([tags(1, [tag("ok", bad), tag("\u001b]0;x\u0007"), tag("a b")], null)]);
    expect(await Array.fromAsync((await service).images("alpine"))).toEqual([
      { tags: ["ok"], pulled: "2021-01-06T21:06:53.506Z" },
    ]);
  });

  test("of no repository are NAME_UNKNOWN, a page of HTML is no empty list", async () => {
    const absent = { ...tags(1, [], null), status: 404, answer: { message: "object not found", errinfo: {} } };
    await expect(Array.fromAsync((await connected([absent]).service).images("alpine"))).rejects.toMatchObject({
      code: "NAME_UNKNOWN",
      host: "hub.docker.com",
    });
    const html = { ...tags(1, [], null), headers: { "content-type": "text/html" }, answer: "<html>proxy</html>" };
    await expect(Array.fromAsync((await connected([html]).service).images("alpine"))).rejects.toMatchObject({
      code: "NETWORK",
      hint: expect.stringContaining("hosts.HOST.api"),
    });
  });

  test("a limit says when to come again", async () => {
    const limited: Exchange = {
      ...tags(1, [], null),
      page: `${page}#tag/rate-limiting`,
      status: 429,
      headers: { "x-retry-after": String(now / 1000 + 30) },
      answer: { detail: "Rate limit exceeded", error: false },
    };
    await expect(Array.fromAsync((await connected([limited]).service).images("alpine"))).rejects.toMatchObject({
      code: "TOOMANYREQUESTS",
      retryable: true,
      retryAfter: 30_000,
      message: expect.stringContaining("Rate limit exceeded"),
    });
  });

  test("a tag is deleted by the API, a digest not at all", async () => {
    const remove: Exchange = {
      page: "https://github.com/docker/hub-tool/blob/main/pkg/hub/tags.go",
      method: "DELETE",
      url: `${hub}/repositories/myorganization/my-app/tags/v1/`,
      status: 204,
    };
    const { service, asked } = connected([login, remove], { credential: ann });
    await (await service).deleteTag("myorganization/my-app", "v1");
    const store = (await service).repository("myorganization/my-app");
    await store.deleteTag("v1");
    expect(asked.slice(1)).toEqual([`DELETE ${remove.url}`, `DELETE ${remove.url}`]);
    await expect(store.deleteManifest(`sha256:${"1".repeat(64)}`)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect((await service).deleteTag("myorganization/my-app", "../../x")).rejects.toMatchObject({
      code: "INVALID",
    });
    const gone = connected([login, { ...remove, status: 404 }], { credential: ann });
    await expect((await gone.service).deleteTag("myorganization/my-app", "v1")).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
    });
  });
});

describe("immutability", () => {
  test.each([
    [{ enabled: false, rules: [".*"] }, { tags: "mutable" }],
    [{ enabled: true, rules: [] }, { tags: "immutable" }],
    [{ enabled: true, rules: [".*"] }, { tags: "immutable" }],
    [
      { enabled: true, rules: ["v.*", ".*-RELEASE"] },
      { tags: "mutable", except: ["v.*", ".*-RELEASE"], patterns: "regex" },
    ],
  ])("%j is read", async (settings, expected) => {
    const { service } = connected([getApp({ ...created, immutable_tags_settings: settings })]);
    expect(await (await service).immutability("myorganization/my-app")).toEqual(expected);
  });

  test.each([
    [{ tags: "immutable" } as const, true, [".*"]],
    [{ tags: "mutable" } as const, false, [".*"]],
    [{ tags: "mutable", except: ["v.*", ".*-RELEASE"] } as const, true, ["v.*", ".*-RELEASE"]],
    [{ tags: "mutable", except: ["v1.*"], patterns: "wildcard" } as const, true, [String.raw`^v1\..*$`]],
  ])("%j is set", async (wanted, immutable_tags, immutable_tags_rules) => {
    const { service, asked } = connected(
      [
        login,
        {
          page: `${page}#tag/repositories/operation/UpdateRepositoryImmutableTags`,
          method: "PATCH",
          url: `${app}/immutabletags`,
          sends: { immutable_tags, immutable_tags_rules },
          answer: created,
        },
      ],
      { credential: ann },
    );
    await (await service).setImmutability("myorganization/my-app", wanted);
    expect(asked).toHaveLength(2);
  });

  test("what the rules cannot say is refused, and nobody asked", async () => {
    const { service, asked } = connected([], { credential: ann });
    const wanted = { tags: "immutable", except: ["dev"] } as const;
    await expect((await service).setImmutability("a/b", wanted)).rejects.toMatchObject({ code: "INVALID" });
    await expect((await service).setImmutability("a/b", { tags: "mutable", except: [""] })).rejects.toMatchObject({
      code: "INVALID",
    });
    expect(asked).toEqual([]);
  });
});

describe("search", () => {
  // Answers that public repositories recorded in May 2026; Docker documents no API of its search.
  const results = [
    { repo_name: "nginx", short_description: "Official build of Nginx.", star_count: 21268, pull_count: 12981954060, repo_owner: "", is_automated: false, is_official: true },
    { repo_name: "nginx/nginx-ingress", short_description: "NGINX and  NGINX Plus Ingress Controllers for Kubernetes", star_count: 120, pull_count: 1085123768, repo_owner: "", is_automated: false, is_official: false },
    { repo_name: "BAD\u001b[2J", is_official: true },
  ]; // prettier-ignore
  const search = (query: string, next = ""): Exchange => ({
    page: "https://hub.docker.com/search",
    url: `${hub}/search/repositories/?page_size=${query}`,
    answer: { count: 284295, next, previous: "", results },
  });

  test("tells references as they are pulled", async () => {
    const { service } = connected([
      search("2&query=nginx", `${hub}/search/repositories/?page=2&page_size=2&query=nginx`),
    ]);
    expect(await Array.fromAsync((await service).search({ term: "nginx", limit: 2 }))).toEqual([
      { reference: "docker.io/library/nginx", name: "library/nginx", description: "Official build of Nginx.", stars: 21268, pulls: 12981954060, official: true, automated: false },
      { reference: "docker.io/nginx/nginx-ingress", name: "nginx/nginx-ingress", description: "NGINX and  NGINX Plus Ingress Controllers for Kubernetes", stars: 120, pulls: 1085123768, official: false, automated: false },
    ]); // prettier-ignore
  });

  test("filters by what comes with each result", async () => {
    const { service } = connected([search("100&query=nginx")]);
    const names = async (filter: object): Promise<readonly string[]> =>
      (await Array.fromAsync((await service).search({ term: "nginx", ...filter }))).map(({ name }) => name);
    expect(await names({ official: true })).toEqual(["library/nginx"]);
    expect(await names({ official: false })).toEqual(["nginx/nginx-ingress"]);
    expect(await names({ stars: 1000 })).toEqual(["library/nginx"]);
    expect(await names({ automated: true })).toEqual([]);
  });

  test("does not look through all there is for what is nowhere", async () => {
    const [first, ...others] = Array.from({ length: 20 }, (_, at) => ({
      ...search(`100&query=x${at > 0 ? `&page=${at + 1}` : ""}`),
      answer: {
        next: `${hub}/search/repositories/?page=${at + 2}&query=x`,
        results: Array.from({ length: 100 }, (__, n) => ({ repo_name: `a/x${at}-${n}`, star_count: 0 })),
      },
    }));
    const { service, asked } = connected([first!, ...others]);
    expect(await Array.fromAsync((await service).search({ term: "x", stars: 5 }))).toEqual([]);
    expect(asked).toHaveLength(10);
  });
});
