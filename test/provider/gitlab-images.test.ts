import { describe, expect, test } from "vitest";
import type { Exchange } from "./support.ts";
import {
  deploy,
  failure,
  found,
  hex,
  host,
  job,
  project,
  query,
  registryPage,
  speak,
  tagsUrl,
  tooOld,
} from "./gitlab-exchanges.ts";

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
