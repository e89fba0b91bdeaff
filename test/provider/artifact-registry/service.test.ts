import { describe, expect, test } from "vitest";
import type { Credential } from "../../../src/auth/credential.ts";
import { Secret } from "../../../src/auth/secret.ts";
import { artifactRegistry } from "../../../src/provider/artifact-registry/provider.ts";
import type { ServiceContext } from "../../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../../src/provider/service.ts";
import { instantClock } from "../../support/instant-clock.ts";
import { recorded, serviceContext, unreachable, type Exchange } from "../support.ts";
import { serviceAccount, startGoogle } from "./google.ts";

const host = "us-central1-docker.pkg.dev";
const api = "https://artifactregistry.googleapis.com/v1";
const docs = "https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories";
const harbor = "https://github.com/goharbor/harbor/blob/main/src/pkg/reg/adapter/googlegcr/adapter.go";
const errors = "https://cloud.google.com/apis/design/errors";
const login: Credential = {
  kind: "basic",
  username: "oauth2accesstoken",
  password: new Secret("t0ken"),
  origin: "the test",
};
const at = `${api}/projects/p/locations/us-central1/repositories`;

async function connected(
  exchanges: readonly Exchange[],
  {
    name = host,
    anonymous = false,
    ...more
  }: Partial<Omit<ServiceContext, "credential">> & {
    readonly name?: string;
    readonly anonymous?: boolean;
    readonly credential?: Credential;
  } = {},
): Promise<ReturnType<typeof recorded> & { readonly service: ServiceRegistry }> {
  const google = recorded(...exchanges);
  const { transport } = google;
  const credential = anonymous ? {} : { credential: login };
  return {
    ...google,
    service: await artifactRegistry.connect(serviceContext(name, { transport, ...credential, ...more })),
  };
}

const tagsList = (name: string, answer: unknown, on = host): Exchange => ({
  page: harbor,
  url: `https://${on}/v2/${name}/tags/list`,
  answer,
});
const digestOf = (letter: string): `sha256:${string}` => `sha256:${letter.repeat(64)}`;
const image = (...tag: readonly string[]): Readonly<Record<string, unknown>> => ({
  imageSizeBytes: "763789",
  layerId: "",
  mediaType: "application/vnd.docker.distribution.manifest.v2+json",
  tag,
  timeCreatedMs: "1595895577054",
  timeUploadedMs: "1597767277119",
});
const nothing = { child: [], manifest: {}, name: "p/r/none", tags: [] };

describe("images", () => {
  test("come in one request, with those that no tag names, by the login of the registry alone", async () => {
    const { service, asked, sent } = await connected([
      tagsList("p/r/app", {
        child: [],
        manifest: {
          [digestOf("a")]: image("another", "latest"),
          [digestOf("b")]: { ...image(), timeCreatedMs: "-62135596800000" },
        },
        name: "p/r/app",
        tags: ["another", "latest"],
      }),
    ]);
    expect(await Array.fromAsync(service.images("p/r/app"))).toEqual([
      {
        digest: digestOf("a"),
        tags: ["another", "latest"],
        pushed: "2020-08-18T16:14:37.119Z",
        created: "2020-07-28T00:19:37.054Z",
        size: 763_789,
        sizeKind: "unexplained",
        mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      },
      expect.objectContaining({ digest: digestOf("b"), tags: [] }),
    ]);
    expect(asked).toHaveLength(1);
    expect(sent[0]).not.toHaveProperty("authorization");
  });

  test("that are none are told apart from an empty list", async () => {
    const { service } = await connected([tagsList("p/r/none", nothing)]);
    await expect(Array.fromAsync(service.images("p/r/none"))).rejects.toMatchObject({ code: "NAME_UNKNOWN", host });
    expect(await service.describeRepository("p/r/none")).toBeUndefined();
  });

  test("leave out what is no digest, tag, time or size", async () => {
    const { service } = await connected([
      tagsList("p/r/app", {
        child: ["ok", "../up", 7],
        manifest: {
          "sha256:short": image("a"),
          [digestOf("a")]: "text",
          [digestOf("c")]: {
            tag: ["fine", "\u001b[2Jbad", "with space", 3],
            timeUploadedMs: "99999999999999999999",
            timeCreatedMs: "soon",
            imageSizeBytes: "-1",
            mediaType: "\u0007bell",
          },
        },
        tags: null,
      }),
    ]);
    expect(await Array.fromAsync(service.images("p/r/app"))).toEqual([{ digest: digestOf("c"), tags: ["fine"] }]);
  });

  test("end with a page that was had before", async () => {
    const url = `https://${host}/v2/p/r/app/tags/list`;
    const again = { page: harbor, headers: { link: `<${url}?last=a>; rel="next"` } };
    const { service, asked } = await connected([
      { ...again, url, answer: { manifest: { [digestOf("a")]: image("a") }, tags: ["a"] } },
      { ...again, url: `${url}?last=a`, answer: { manifest: { [digestOf("b")]: image("b") }, tags: ["b"] } },
    ]);
    expect(await Array.fromAsync(service.images("p/r/app"))).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  test("are read one by one where something in between leaves the rest out", async () => {
    const { service } = await connected([
      tagsList("p/r/app", { name: "p/r/app", tags: ["gone"] }),
      { page: harbor, url: `https://${host}/v2/p/r/app/tags/list?n=1000`, answer: { name: "p/r/app", tags: ["gone"] } },
      { page: harbor, url: `https://${host}/v2/p/r/app/manifests/gone`, status: 404, answer: {} },
    ]);
    expect(await Array.fromAsync(service.images("p/r/app"))).toEqual([{ tags: ["gone"] }]);
  });

  test("that are a web page are refused", async () => {
    const { service } = await connected([tagsList("p/r/app", "<html>")]);
    await expect(Array.fromAsync(service.images("p/r/app"))).rejects.toMatchObject({ code: "NETWORK" });
  });
});

describe("repositories", () => {
  test("of a project are those of all its repositories of Docker's format, a request for each and its pages", async () => {
    const { service, asked, sent } = await connected([
      {
        page: `${docs}/list`,
        url: `${at}?pageSize=1000`,
        answer: {
          repositories: [
            { name: "projects/p/locations/us-central1/repositories/r", format: "DOCKER" },
            { name: "projects/p/locations/us-central1/repositories/jars", format: "MAVEN" },
          ],
          nextPageToken: "two",
        },
      },
      {
        page: `${docs}/list`,
        url: `${at}?pageSize=1000&pageToken=two`,
        answer: {
          repositories: [{ name: "projects/p/locations/us-central1/repositories/s", format: "DOCKER" }],
          nextPageToken: "two",
        },
      },
      {
        page: `${docs}.packages/list`,
        url: `${at}/r/packages?pageSize=1000`,
        answer: {
          packages: [
            {
              name: "projects/p/locations/us-central1/repositories/r/packages/team%2Fapp",
              createTime: "2024-03-01T10:00:00.123456Z",
              updateTime: "2024-04-01T10:00:00Z",
            },
            { name: "projects/p/locations/us-central1/repositories/r/packages/%1b%5B2J" },
            { name: "projects/p/locations/us-central1/repositories/r/packages/%zz" },
            {},
          ],
        },
      },
      { page: `${docs}.packages/list`, url: `${at}/s/packages?pageSize=1000`, answer: {} },
    ]);
    const repositories = service.listRepositories("p")[Symbol.asyncIterator]();
    expect((await repositories.next()).value).toEqual({
      name: "p/r/team/app",
      created: "2024-03-01T10:00:00.123Z",
      updated: "2024-04-01T10:00:00.000Z",
    });
    expect(asked).toHaveLength(2);
    expect((await repositories.next()).done).toBe(true);
    expect(asked).toHaveLength(4);
    expect(sent.map(({ authorization }) => authorization)).toEqual(Array(4).fill("Bearer t0ken"));
    expect(await Array.fromAsync(service.repositories("p/r/team"))).toEqual(["p/r/team/app"]);
    expect(asked).toHaveLength(5);
  });

  test("of one repository are seen by who may not see the others", async () => {
    const denied = { error: { code: 403, message: "Permission 'artifactregistry.repositories.list' denied" } };
    const { service } = await connected([
      { page: errors, url: `${at}?pageSize=1000`, status: 403, answer: denied },
      {
        page: `${docs}.packages/list`,
        url: `${at}/r/packages?pageSize=1000`,
        answer: { packages: [{ name: "projects/p/locations/us-central1/repositories/r/packages/app" }] },
      },
    ]);
    expect(await Array.fromAsync(service.repositories("p/r"))).toEqual(["p/r/app"]);
    await expect(Array.fromAsync(service.repositories("p"))).rejects.toMatchObject({ code: "DENIED" });
  });

  test("where Container Registry was are found level by level", async () => {
    const on = "eu.gcr.io";
    const { service, asked } = await connected(
      [
        tagsList("p", { child: ["app", "team"], manifest: {}, tags: [] }, on),
        tagsList("p/app", { child: [], manifest: { [digestOf("a")]: image("v1") }, tags: ["v1"] }, on),
        tagsList("p/team", { child: ["tool"], manifest: {}, tags: [] }, on),
        tagsList("p/team/tool", { child: [], manifest: { [digestOf("b")]: image() }, tags: [] }, on),
      ],
      { name: on, anonymous: true },
    );
    const pushed = "2020-08-18T16:14:37.119Z";
    expect(await Array.fromAsync(service.listRepositories("p"))).toEqual([
      { name: "p/app", tags: 1, images: 1, created: pushed, updated: pushed },
      { name: "p/team/tool", tags: 0, images: 1, created: pushed, updated: pushed },
    ]);
    expect(await Array.fromAsync(service.repositories("p/te"))).toEqual(["p/team/tool"]);
    expect(asked).toHaveLength(7);
  });

  test("of a public repository are found without a login", async () => {
    const { service } = await connected(
      [
        tagsList("p/r", { child: ["app"], manifest: {}, tags: [] }),
        tagsList("p/r/app", { child: [], manifest: { [digestOf("a")]: image("v1") }, tags: ["v1"] }),
      ],
      { anonymous: true },
    );
    expect(await Array.fromAsync(service.repositories("p/r"))).toEqual(["p/r/app"]);
  });

  test.each([
    [host, "", "give us-central1-docker.pkg.dev/PROJECT[/REPOSITORY]"],
    [host, "example.com", "give us-central1-docker.pkg.dev/PROJECT[/REPOSITORY]"],
    [host, "p", "give us-central1-docker.pkg.dev/PROJECT/REPOSITORY, or log in"],
    ["gcr.io", "", "give gcr.io/PROJECT"],
  ])("of all of %s/%s are not listed, and what is instead is told", async (name, prefix, hint) => {
    const { service, asked } = await connected([], { name, anonymous: true });
    await expect(Array.fromAsync(service.listRepositories(prefix))).rejects.toMatchObject({ code: "INVALID", hint });
    expect(asked).toEqual([]);
  });
});

describe("a repository", () => {
  const repository = {
    name: "projects/p/locations/us-central1/repositories/r",
    format: "DOCKER",
    description: "the team's",
    labels: { team: "a", odd: 3 },
    createTime: "2024-03-01T10:00:00.123456Z",
    updateTime: "2024-04-01T10:00:00Z",
    mode: "REMOTE_REPOSITORY",
    sizeBytes: "1234",
    dockerConfig: { immutableTags: true },
    cleanupPolicies: {
      old: { id: "old", action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "2592000s" } },
    },
  };
  const get: Exchange = { page: `${docs}/get`, url: `${at}/r`, answer: repository };
  const scope = "repository r of p in us-central1";

  test("is described by the API, an image in it by its list of tags", async () => {
    const { service } = await connected([
      get,
      tagsList("p/r/app", { child: [], manifest: { [digestOf("a")]: image("v1", "v2") }, tags: ["v1", "v2"] }),
      { page: errors, url: `${at}/none`, status: 404, answer: { error: { code: 404, message: "not found" } } },
    ]);
    expect(await service.describeRepository("p/r")).toEqual({
      name: "p/r",
      created: "2024-03-01T10:00:00.123Z",
      updated: "2024-04-01T10:00:00.000Z",
      size: 1234,
      description: "the team's",
      immutability: { tags: "immutable" },
      state: "remote",
    });
    expect(await service.describeRepository("p/r/app")).toMatchObject({ name: "p/r/app", tags: 2, images: 1 });
    expect(await service.describeRepository("p/none")).toBeUndefined();
  });

  test("says what holds for all images in it, and that it does", async () => {
    const { service } = await connected([get]);
    expect(await service.immutability("p/r/app")).toEqual({ tags: "immutable", scope });
    expect(await service.labels("p/r/app")).toEqual({ team: "a" });
    expect(await service.lifecycle("p/r/app")).toEqual({
      dialect: "artifact-registry",
      document: { cleanupPolicies: repository.cleanupPolicies, cleanupPolicyDryRun: false },
      scope,
    });
  });

  test("is changed by what is to be changed alone", async () => {
    const patch = (mask: string, sends: unknown): Exchange => ({
      page: `${docs}/patch`,
      method: "PATCH",
      url: `${at}/r?updateMask=${encodeURIComponent(mask)}`,
      sends,
      answer: { ...repository, ...(sends as object) },
    });
    const mask = "cleanupPolicies,cleanupPolicyDryRun";
    const { cleanupPolicies } = repository;
    const { service, asked } = await connected([
      patch("dockerConfig.immutableTags", { dockerConfig: { immutableTags: false } }),
      patch(mask, { cleanupPolicies, cleanupPolicyDryRun: true }),
      patch(mask, { cleanupPolicies: {}, cleanupPolicyDryRun: false }),
    ]);
    await service.setImmutability("p/r", { tags: "mutable" });
    expect(await service.setLifecycle("p/r", { cleanupPolicies, cleanupPolicyDryRun: true })).toMatchObject({
      document: { cleanupPolicyDryRun: true },
    });
    await service.deleteLifecycle("p/r");
    expect(asked).toHaveLength(3);
    await expect(service.setImmutability("p/r", { tags: "immutable", except: ["v*"] })).rejects.toThrow(/or none/);
    await expect(service.setLifecycle("p/r", "text")).rejects.toMatchObject({ code: "INVALID" });
    expect(asked).toHaveLength(3);
  });

  const operation = "projects/p/locations/us-central1/operations/1f-2";
  const create: Exchange = {
    page: `${docs}/create`,
    method: "POST",
    url: `${at}?repositoryId=r`,
    sends: { format: "DOCKER", mode: "STANDARD_REPOSITORY" },
    answer: { name: operation, metadata: {} },
  };

  test("is made, which takes its time", async () => {
    const clock = instantClock();
    const { transport, asked } = recorded(create, {
      page: "https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.operations/get",
      url: `${api}/${operation}`,
      answer: { name: operation, done: true, response: {} },
    });
    let unfinished = 2;
    const service = await artifactRegistry.connect(
      serviceContext(host, {
        credential: login,
        clock,
        transport: async (request) => {
          const response = await transport(request);
          if (request.method !== "GET" || unfinished-- <= 0) return response;
          return {
            ...response,
            body: (async function* () {
              yield Buffer.from(JSON.stringify({ name: operation }));
            })(),
          };
        },
      }),
    );
    expect(await service.createRepository("p/r/app")).toBe("created");
    expect(asked).toHaveLength(4);
    expect(clock.waits).toEqual([250, 500, 1000]);
  });

  test("that is there is no error; what the operation fails with is", async () => {
    const there = { error: { code: 409, message: "the repository already exists", status: "ALREADY_EXISTS" } };
    const exists = await connected([{ ...create, status: 409, answer: there }]);
    expect(await exists.service.createRepository("p/r")).toBe("exists");
    const failed = { name: operation, done: true, error: { code: 7, message: "no\u001b[2J permission" } };
    const { service } = await connected([{ ...create, answer: failed }]);
    await expect(service.createRepository("p/r")).rejects.toMatchObject({
      code: "DENIED",
      message: "cannot create the repository r of p in us-central1: Artifact Registry says: no [2J permission",
    });
    const elsewhere = await connected([{ ...create, answer: { name: "../../v2/p/r" } }]);
    await expect(elsewhere.service.createRepository("p/r")).rejects.toThrow("names no operation of its own");
  });

  test("that is never done is given up", async () => {
    let now = 0;
    const clock = { now: () => now, random: () => 0, sleep: async (ms: number) => void (now += ms) };
    const { service } = await connected(
      [create, { page: docs, url: `${api}/${operation}`, answer: { name: operation } }],
      {
        clock,
      },
    );
    await expect(service.createRepository("p/r")).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  test("is deleted, and an image of it, when nothing is in there or that is meant", async () => {
    const done = { name: operation, done: true, response: {} };
    const full = { child: [], manifest: { [digestOf("a")]: image("v1") }, tags: ["v1"] };
    const { service, asked } = await connected([
      tagsList("p/r/team/app", full),
      tagsList("p/r/empty", nothing),
      { page: `${docs}.packages/list`, url: `${at}/r/packages?pageSize=1`, answer: { packages: [{ name: "x" }] } },
      { page: `${docs}.packages/delete`, method: "DELETE", url: `${at}/r/packages/team%2Fapp`, answer: done },
      { page: `${docs}.packages/delete`, method: "DELETE", url: `${at}/r/packages/empty`, status: 404, answer: {} },
      { page: `${docs}/delete`, method: "DELETE", url: `${at}/r`, answer: done },
      get,
      { page: `${docs}/get`, url: `${at}/jars`, answer: { format: "MAVEN" } },
      tagsList("p/r/untold", { tags: ["v1"] }),
    ]);
    for (const name of ["p/r/team/app", "p/r", "p/r/untold"]) {
      await expect(service.deleteRepository(name)).rejects.toMatchObject({ code: "CONFLICT" });
    }
    expect(asked.filter((request) => request.startsWith("DELETE"))).toEqual([]);
    await service.deleteRepository("p/r/team/app", { force: true });
    await service.deleteRepository("p/r", { force: true });
    await expect(service.deleteRepository("p/r/empty")).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
    await expect(service.deleteRepository("p/jars", { force: true })).rejects.toThrow(
      "jars of p is no repository of images",
    );
    const legacy = await connected([], { name: "gcr.io" });
    await expect(legacy.service.deleteRepository("p", { force: true })).rejects.toMatchObject({ code: "INVALID" });
    expect(legacy.asked).toEqual([]);
  });
});

describe("the API", () => {
  const failing = async (answer: unknown, status: number): Promise<ServiceRegistry> =>
    (await connected([{ page: errors, url: `${at}/r`, status, answer }])).service;
  const info = (reason: string, metadata: object): unknown => ({
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason,
    domain: "googleapis.com",
    metadata,
  });

  test("that is switched off says how to switch it on", async () => {
    const url = "https://console.developers.google.com/apis/api/artifactregistry.googleapis.com/overview?project=1";
    const service = await failing(
      {
        error: {
          code: 403,
          message: `Artifact Registry API has not been used in project 1 before or it is disabled. Enable it by visiting ${url} then retry.`,
          status: "PERMISSION_DENIED",
          details: [
            info("SERVICE_DISABLED", {
              service: "artifactregistry.googleapis.com",
              consumer: "projects/1",
              activationUrl: url,
            }),
          ],
        },
      },
      403,
    );
    await expect(service.labels("p/r")).rejects.toMatchObject({
      code: "DENIED",
      hint: `have the API switched on: \`gcloud services enable artifactregistry.googleapis.com --project 1\`, or ${url}`,
    });
  });

  test.each([
    ["artifactregistry.repositories.get", "roles/artifactregistry.reader"],
    ["artifactregistry.repositories.update", "roles/artifactregistry.admin"],
    ["artifactregistry.versions.delete", "roles/artifactregistry.repoAdmin"],
    ["artifactregistry.repositories.uploadArtifacts", "roles/artifactregistry.writer"],
  ])("that wants %s names it, a role that has it, and whose login lacks it", async (permission, role) => {
    const message = `Permission '${permission}' denied on resource '//artifactregistry.googleapis.com/projects/p/locations/us-central1/repositories/r' (or it may not exist).`;
    const service = await failing(
      { error: { code: 403, message, details: [info("IAM_PERMISSION_DENIED", { permission })] } },
      403,
    );
    await expect(service.labels("p/r")).rejects.toMatchObject({
      code: "DENIED",
      status: 403,
      credential: "the test",
      hint: `the account lacks ${permission}, which ${role} has; or the project, location or repository is not there`,
    });
  });

  test.each([
    [
      401,
      { error: { code: 401, message: "Request had invalid authentication credentials." } },
      "UNAUTHORIZED",
      /log in/,
    ],
    [
      429,
      { error: { code: 429, message: "Quota exceeded", status: "RESOURCE_EXHAUSTED" } },
      "TOOMANYREQUESTS",
      /quota/,
    ],
    [404, { error: { code: 404, message: "Location us-x1 is not found" } }, "NAME_UNKNOWN", /locations list/],
    [
      403,
      { error: { code: 403, message: "no", details: [info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", {})] } },
      "DENIED",
      /cloud-platform/,
    ],
    [500, "<html>", "UNAVAILABLE", undefined],
  ])("that answers %i says what is to be done", async (status, answer, code, hint) => {
    const service = await failing(answer, status);
    await expect(service.labels("p/r")).rejects.toMatchObject({
      code,
      ...(hint && { hint: expect.stringMatching(hint) as unknown }),
    });
  });

  test("whose texts are hostile are not believed", async () => {
    const service = await failing(
      {
        error: {
          code: 403,
          message: "\u001b]0;title\u0007 no",
          details: [
            info("SERVICE_DISABLED", {
              service: "evil; rm -rf /",
              consumer: "projects/$(id)",
              activationUrl: "https://console.evil.test/",
            }),
          ],
        },
      },
      403,
    );
    const error: unknown = await service.labels("p/r").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      hint: "have the API switched on: `gcloud services enable artifactregistry.googleapis.com`",
    });
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    expect(String(error)).not.toMatch(/[\u0000-\u001f]/);
  });

  test("is asked by nobody who is not logged in, nor with a login that is another's", async () => {
    const { service, asked } = await connected([], { anonymous: true });
    await expect(service.labels("p/r")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      hint: expect.stringContaining("gcloud auth application-default login") as unknown,
    });
    const other: Credential = { kind: "basic", username: "ann", password: new Secret("s3cret"), origin: "a file" };
    const named = await connected([], { credential: other });
    const error: unknown = await named.service.labels("p/r").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAUTHORIZED", credential: "a file" });
    expect(JSON.stringify(error)).not.toContain("s3cret");
    expect([...asked, ...named.asked]).toEqual([]);
  });

  test("is spoken to by each project's own login", async () => {
    const project = (name: string): Exchange => ({
      page: `${docs}/get`,
      url: `${api}/projects/${name}/locations/us-central1/repositories/r`,
      answer: {},
    });
    const google = recorded(project("one"), project("two"));
    const service = await artifactRegistry.connect({
      ...serviceContext(host, { transport: google.transport }),
      credential: async (path = "") => ({ kind: "bearer", token: new Secret(`of ${path.split("/")[0]}`) }),
    });
    await Promise.all([service.labels("one/r"), service.labels("two/r")]);
    expect(new Set(google.sent.map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer of one", "Bearer of two"]),
    );
  });

  test("takes the key of a service account that is the registry's password, for which one token is bought", async () => {
    const google = await startGoogle({
      "POST oauth2.googleapis.com/token": () => ({ body: { access_token: "bought", expires_in: 3600 } }),
      "GET artifactregistry.googleapis.com/v1/projects/p/locations/us-central1/repositories/r": ({ headers }) => {
        expect(headers.authorization).toBe("Bearer bought");
        return { body: { labels: { a: "b" } } };
      },
    });
    const key = JSON.stringify(serviceAccount);
    for (const [username, password] of [
      ["_json_key", key],
      ["_json_key_base64", Buffer.from(key).toString("base64")],
    ] as const) {
      const credential: Credential = { kind: "basic", username, password: new Secret(password) };
      const service = await artifactRegistry.connect(serviceContext(host, { transport: google.transport, credential }));
      expect(await service.labels("p/r")).toEqual({ a: "b" });
      expect(await service.labels("p/r")).toEqual({ a: "b" });
    }
    expect(google.asked.filter(({ what }) => what.startsWith("POST"))).toHaveLength(2);
  });

  test("is where the user says, or gcloud's variable, and never in the clear", async () => {
    const found = async (more: Parameters<typeof connected>[1], url: string): Promise<unknown> => {
      const { service } = await connected(
        [
          {
            page: docs,
            url: `${url}/v1/projects/p/locations/us-central1/repositories/r`,
            answer: { labels: { a: "b" } },
          },
        ],
        more,
      );
      return service.labels("p/r");
    };
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY: "https://ar.p.googleapis.com/" };
    expect(await found({ env }, "https://ar.p.googleapis.com")).toEqual({ a: "b" });
    const own = (name: string): string | undefined => (name === host ? "http://127.0.0.1:9/base" : undefined);
    expect(await found({ env, api: own }, "http://127.0.0.1:9/base")).toEqual({ a: "b" });
    await expect(found({ api: () => "http://api.test" }, "http://api.test")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
    });
    await expect(found({ api: () => "ftp://api.test" }, "ftp://api.test")).rejects.toMatchObject({ code: "INVALID" });
  });

  test("is not asked where the host tells no location", async () => {
    const service = await artifactRegistry.connect(
      serviceContext("registry.example", { transport: unreachable, credential: login }),
    );
    await expect(service.createRepository("p/r")).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("LOCATION-docker.pkg.dev") as unknown,
    });
  });
});
