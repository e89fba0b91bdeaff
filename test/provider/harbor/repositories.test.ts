import { describe, expect, test } from "vitest";
import { harbor } from "../../../src/provider/harbor/provider.ts";
import { serviceContext, type Exchange } from "../support.ts";
import { api, failure, harborOf, listing, source, swagger } from "./support.ts";

const page = `${source}/server/v2.0/handler/repository.go`;
const app = {
  id: 2,
  project_id: 1,
  name: "lib/team/app",
  description: "the app",
  artifact_count: 3,
  pull_count: 17,
  creation_time: "2024-05-01T10:00:00.000Z",
  update_time: "2024-06-01T10:00:00.123Z",
};
const first = "page_size=100&page=1";

describe("repositories are listed", () => {
  test.each<[string | undefined, string, readonly string[]]>([
    [undefined, `/repositories?${first}`, ["lib/team/app", "lib.io/app"]],
    ["li", `/repositories?page_size=100&q=name%3D%7Eli&page=1`, ["lib/team/app", "lib.io/app"]],
    ["lib/", `/projects/lib/repositories?${first}`, ["lib/team/app"]],
    ["lib.io/", `/projects/lib.io/repositories?${first}`, ["lib.io/app"]],
    ["lib/team/a", `/projects/lib/repositories?page_size=100&q=name%3D%7Elib%2Fteam%2Fa&page=1`, ["lib/team/app"]],
  ])("that begin with %s", async (prefix, path, expected) => {
    const { service, asked } = await harborOf([
      {
        page,
        url: `${api}${path}`,
        answer: [app, { id: 3, name: "lib.io/app" }, { id: 4, name: "Not\u001b[31m/a name" }],
      },
    ]);
    const found = await Array.fromAsync(service.listRepositories(prefix));
    expect(found.map(({ name }) => name)).toEqual(expected);
    expect(await Array.fromAsync(service.repositories(prefix))).toEqual(expected);
    expect(asked).toHaveLength(2);
  });

  test("with what Harbor tells of them", async () => {
    const { service } = await harborOf([{ page, url: `${api}/repositories?${first}`, answer: [app] }]);
    expect(await Array.fromAsync(service.listRepositories())).toEqual([
      {
        name: "lib/team/app",
        description: "the app",
        images: 3,
        pulls: 17,
        created: "2024-05-01T10:00:00.000Z",
        updated: "2024-06-01T10:00:00.123Z",
      },
    ]);
  });

  test("none in a project that is not there, nor for a prefix that none can have", async () => {
    const { service, asked } = await harborOf([
      {
        page,
        url: `${api}/projects/gone/repositories?${first}`,
        status: 404,
        answer: failure("NOT_FOUND", "project gone not found"),
      },
    ]);
    expect(await Array.fromAsync(service.listRepositories("gone/"))).toEqual([]);
    expect(asked).toHaveLength(1);
    for (const prefix of ["A", "lib/,q", "/x", "a=b", "%2e"]) {
      expect(await Array.fromAsync(service.listRepositories(prefix))).toEqual([]);
    }
    expect(asked).toHaveLength(1);
  });

  const many = async (transport: ReturnType<typeof listing>["transport"]) =>
    harbor.connect(serviceContext("harbor.example", { transport }));

  test("100 000 with as few requests as pages of 100 allow, the first after one", async () => {
    const { transport, asked } = listing(100_000, (index) => ({ id: index, name: `lib/app-${index}` }));
    let found = 0;
    for await (const { name } of (await many(transport)).listRepositories()) {
      if (found === 0) expect(asked).toHaveLength(1);
      expect(name).toBe(`lib/app-${found++}`);
    }
    expect(found).toBe(100_000);
    expect(asked).toHaveLength(1000);
  });

  test.each([
    [0, 1],
    [1, 1],
    [100, 1],
    [101, 2],
    [1000, 10],
  ])("%i by %i requests", async (total, requests) => {
    const { transport, asked } = listing(total, (index) => ({ id: index, name: `lib/app-${index}` }));
    expect(await Array.fromAsync((await many(transport)).listRepositories())).toHaveLength(total);
    expect(asked).toHaveLength(requests);
  });

  test("where a proxy takes the count away, until a page is not full", async () => {
    const { transport, asked } = listing(250, (index) => ({ id: index, name: `lib/app-${index}` }), { counted: false });
    expect(await Array.fromAsync((await many(transport)).listRepositories())).toHaveLength(250);
    expect(asked).toHaveLength(3);
  });

  test("and no further where pages repeat, whatever the count says", async () => {
    const { transport, asked } = listing(1e14, (index) => ({ id: index % 100, name: `lib/app-${index % 100}` }));
    expect(await Array.fromAsync((await many(transport)).listRepositories())).toHaveLength(100);
    expect(asked.length).toBeLessThanOrEqual(6);
  });
});

describe("a repository is described", () => {
  const repository: Exchange = { page, url: `${api}/projects/lib/repositories/team%252Fapp`, answer: app };
  const project = (more: Partial<Exchange>): Exchange => ({ page: swagger, url: `${api}/projects/lib`, ...more });

  test("with its project's visibility, by two requests, the slash in its name encoded twice", async () => {
    const { service, asked, sent } = await harborOf([
      repository,
      project({ answer: { metadata: { public: "true" } } }),
    ]);
    expect(await service.describeRepository("lib/team/app")).toMatchObject({
      name: "lib/team/app",
      visibility: "public",
    });
    expect(asked).toHaveLength(2);
    expect(sent.find((headers) => "x-is-resource-name" in headers)).toMatchObject({ "x-is-resource-name": "true" });
  });

  test("without it where the login may not read the project", async () => {
    const { service } = await harborOf([repository, project({ status: 403, answer: failure("FORBIDDEN", "") })]);
    expect(await service.describeRepository("lib/team/app")).not.toHaveProperty("visibility");
  });

  test("as absent where it is", async () => {
    const { service } = await harborOf([
      { ...repository, status: 404, answer: failure("NOT_FOUND", "repository lib/team/app not found") },
      project({ answer: { metadata: {} } }),
    ]);
    expect(await service.describeRepository("lib/team/app")).toBeUndefined();
    expect(await service.describeRepository("lib")).toBeUndefined();
  });
});

describe("search", () => {
  test("asks for a part of names, and for no more than is wanted", async () => {
    const { service, asked } = await harborOf([
      {
        page,
        url: `${api}/repositories?page_size=1&q=name%3D%7Eapp&page=1`,
        headers: { "x-total-count": "9" },
        answer: [app],
      },
    ]);
    expect(await Array.fromAsync(service.search({ term: "App", limit: 1 }))).toEqual([
      { name: "lib/team/app", reference: "harbor.example/lib/team/app", description: "the app", pulls: 17 },
    ]);
    expect(asked).toHaveLength(1);
  });

  test("finds nothing by what no name has, and asks nobody", async () => {
    const { service, asked } = await harborOf([]);
    expect(await Array.fromAsync(service.search({ term: "app,project_id=1" }))).toEqual([]);
    expect(asked).toEqual([]);
  });

  test("refuses filters that Harbor has no word for", async () => {
    const { service } = await harborOf([]);
    await expect(Array.fromAsync(service.search({ term: "app", stars: 3 }))).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
  });
});

describe("creating a repository", () => {
  const controller = `${source}/server/v2.0/handler/project.go`;
  const read = (status: number): Exchange => ({
    page: controller,
    url: `${api}/projects/lib`,
    status,
    answer: status === 200 ? { project_id: 1, name: "lib" } : failure(status === 403 ? "FORBIDDEN" : "NOT_FOUND", ""),
  });
  const make = (status: number, message = ""): Exchange => ({
    page: controller,
    method: "POST",
    url: `${api}/projects`,
    sends: { project_name: "lib", metadata: { public: "false" } },
    status,
    answer: status === 201 ? undefined : failure(status === 409 ? "CONFLICT" : "FORBIDDEN", message),
  });

  test.each([404, 403])("makes the project that is not there (%i), and says so", async (status) => {
    const { service, warnings } = await harborOf([read(status), make(201)]);
    expect(await service.createRepository("lib/app")).toBe("created");
    expect(warnings).toEqual(["made project lib, which is private; lib/app comes with its first push"]);
  });

  test("makes a project alone", async () => {
    const { service, warnings } = await harborOf([read(404), make(201)]);
    expect(await service.createRepository("lib")).toBe("created");
    expect(warnings).toEqual(["made project lib, which is private"]);
  });

  test("in a project that is there is left to the first push", async () => {
    const { service, warnings, asked } = await harborOf([read(200)]);
    expect(await service.createRepository("lib/app")).toBe("exists");
    expect(warnings).toEqual(["project lib is there; lib/app comes with its first push"]);
    expect(asked).toHaveLength(1);
  });

  test("in a project of others is denied, and so it is to who may make none", async () => {
    const hidden = await harborOf([read(403), make(409, "The project named lib already exists")]);
    await expect(hidden.service.createRepository("lib/app")).rejects.toMatchObject({ code: "DENIED" });
    const { service } = await harborOf([read(403), make(403, "Only system admin can create project")]);
    await expect(service.createRepository("lib/app")).rejects.toMatchObject({
      code: "DENIED",
      message: expect.stringContaining("Only system admin can create project") as string,
      hint: expect.stringContaining("system administrator") as string,
    });
  });
});

describe("deleting a repository", () => {
  const url = `${api}/projects/lib/repositories/team%252Fapp`;
  const read = (answer: unknown, status = 200): Exchange => ({ page, url, status, answer });
  const gone = (status = 200, answer?: unknown): Exchange => ({ page, method: "DELETE", url, status, answer });

  test("that has images wants force", async () => {
    const { service, asked } = await harborOf([read(app), gone()]);
    await expect(service.deleteRepository("lib/team/app")).rejects.toMatchObject({
      code: "DENIED",
      message: "lib/team/app is not empty (images: 3)",
    });
    await service.deleteRepository("lib/team/app", { force: true });
    expect(asked).toEqual([`GET ${url}`, `DELETE ${url}`]);
  });

  test("without images does not", async () => {
    const { service, asked } = await harborOf([read({ ...app, artifact_count: 0 }), gone()]);
    await service.deleteRepository("lib/team/app");
    expect(asked).toHaveLength(2);
  });

  test("that is not there, or held by a rule, says so", async () => {
    const absent = await harborOf([read(failure("NOT_FOUND", ""), 404), gone(404, failure("NOT_FOUND", ""))]);
    await expect(absent.service.deleteRepository("lib/team/app")).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
    const held = await harborOf([
      gone(412, failure("PRECONDITION", "the tag v1 configured as immutable, cannot be deleted")),
    ]);
    await expect(held.service.deleteRepository("lib/team/app", { force: true })).rejects.toMatchObject({
      code: "CONFLICT",
      hint: expect.stringContaining("immutability") as string,
    });
  });

  test("never takes a project", async () => {
    const { service, asked } = await harborOf([]);
    await expect(service.deleteRepository("lib", { force: true })).rejects.toMatchObject({ code: "INVALID" });
    expect(asked).toEqual([]);
  });
});
