import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import type { Access } from "../../src/server/access.ts";
import { pushBlob, pushImage, testRegistry, type Send } from "./support.ts";

const tagged = async (send: Send, ...tags: readonly string[]): Promise<void> => {
  for (const tag of tags) await pushImage(send, "app", tag);
};
/** Where the Link header leads. */
const next = (headers: Readonly<Record<string, string>>): string | undefined =>
  /^<([^>]+)>; rel="next"$/.exec(headers["link"] ?? "")?.[1];

test("tags come in byte order", async () => {
  const { send } = testRegistry();
  await tagged(send, "b", "a", "B", "_", "10", "9");
  expect((await send("GET", "/v2/app/tags/list")).json).toEqual({ name: "app", tags: ["10", "9", "B", "_", "a", "b"] });
});

test.each([
  ["?n=2", ["a", "b"], "/v2/app/tags/list?n=2&last=b"],
  ["?n=2&last=b", ["c", "d"], "/v2/app/tags/list?n=2&last=d"],
  ["?n=2&last=d", ["e"], undefined],
  ["?last=bb", ["c", "d", "e"], undefined],
  ["?n=0", [], undefined],
  ["?n=5", ["a", "b", "c", "d", "e"], undefined],
  ["?n=99999999999999999999", ["a", "b", "c", "d", "e"], undefined],
  ["?n=2&last=zzz", [], undefined],
  [`?n=1&last=${"%FF".repeat(50)}`, [], undefined],
] as const)("tags%s is a page", async (query, tags, link) => {
  const { send } = testRegistry();
  await tagged(send, "a", "b", "c", "d", "e");
  const { status, json, headers } = await send("GET", `/v2/app/tags/list${query}`);
  expect({ status, json }).toEqual({ status: 200, json: { name: "app", tags } });
  expect(next(headers)).toBe(link);
});

test.each(["app/tags/list", "_catalog", `app/referrers/${digestOf("x")}`])(
  "%s takes no n but a number",
  async (path) => {
    const { send } = testRegistry();
    await tagged(send, "a");
    for (const n of ["-1", "abc", "1e20", "1.5", "", "0x10"]) {
      expect(await send("GET", `/v2/${path}?n=${n}`)).toMatchObject({ status: 400, code: "PAGINATION_NUMBER_INVALID" });
    }
  },
);

test("a repository without tags has an empty list, no repository has none", async () => {
  const { send } = testRegistry();
  await pushBlob(send, "app", "x");
  expect((await send("GET", "/v2/app/tags/list")).json).toEqual({ name: "app", tags: [] });
  expect(await send("GET", "/v2/other/tags/list")).toMatchObject({ status: 404, code: "NAME_UNKNOWN" });
});

test("the catalog lists repositories with something in them, by pages", async () => {
  const { send } = testRegistry();
  for (const name of ["b/c", "a", "b"]) await pushImage(send, name, "latest");
  await pushBlob(send, "blobs-only", "x");
  expect((await send("GET", "/v2/_catalog")).json).toEqual({ repositories: ["a", "b", "b/c"] });
  const first = await send("GET", "/v2/_catalog?n=2");
  expect(first.json).toEqual({ repositories: ["a", "b"] });
  expect((await send("GET", next(first.headers)!)).json).toEqual({ repositories: ["b/c"] });
});

test("the catalog names only what the caller may see", async () => {
  const access: Access = {
    open: false,
    authorize: () => ({ allow: true, sees: (name) => name.startsWith("public/") }),
  };
  const { send } = testRegistry({ access });
  for (const name of ["private/a", "public/a", "public/b", "secret"]) await pushImage(send, name, "latest");
  expect((await send("GET", "/v2/_catalog")).json).toEqual({ repositories: ["public/a", "public/b"] });
  const page = await send("GET", "/v2/_catalog?n=1");
  expect(page.json).toEqual({ repositories: ["public/a"] });
  expect((await send("GET", next(page.headers)!)).json).toEqual({ repositories: ["public/b"] });
});

const attach = (send: Send, subject: string, artifactType: string, more: object = {}): Promise<string> =>
  pushImage(send, "app", undefined, {
    artifactType,
    subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 5 },
    ...more,
  });

test("referrers are listed as an index, with type and annotations, and gone once deleted", async () => {
  const { send } = testRegistry();
  const subject = await pushImage(send, "app", "latest");
  const sbom = await attach(send, subject, "application/sbom", { annotations: { by: "me" } });
  const plain = await pushImage(send, "app", undefined, {
    subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 5 },
  });
  const answer = await send("GET", `/v2/app/referrers/${subject}`);
  expect(answer.headers["content-type"]).toBe(mediaTypes.ociIndex);
  const { manifests, ...rest } = answer.json as { manifests: { digest: string }[] };
  expect(rest).toEqual({ schemaVersion: 2, mediaType: mediaTypes.ociIndex });
  expect(manifests).toHaveLength(2);
  expect(manifests).toContainEqual({
    mediaType: mediaTypes.ociManifest,
    digest: sbom,
    size: expect.any(Number),
    artifactType: "application/sbom",
    annotations: { by: "me" },
  });
  expect(manifests).toContainEqual(expect.objectContaining({ digest: plain, artifactType: mediaTypes.ociConfig }));
  await send("DELETE", `/v2/app/manifests/${sbom}`);
  const left = (await send("GET", `/v2/app/referrers/${subject}`)).json as { manifests: { digest: string }[] };
  expect(left.manifests.map((manifest) => manifest.digest)).toEqual([plain]);
});

test("referrers are filtered by any of several types", async () => {
  const { send } = testRegistry();
  const subject = digestOf("not there");
  for (const type of ["a/a", "b/b", "c/c"]) await attach(send, subject, type);
  const types = async (query: string): Promise<unknown> => {
    const { json, headers } = await send("GET", `/v2/app/referrers/${subject}${query}`);
    expect(headers["oci-filters-applied"]).toBe(query === "" ? undefined : "artifactType");
    return (json as { manifests: { artifactType: string }[] }).manifests
      .map((manifest) => manifest.artifactType)
      .sort();
  };
  expect(await types("")).toEqual(["a/a", "b/b", "c/c"]);
  expect(await types("?artifactType=b/b")).toEqual(["b/b"]);
  expect(await types("?artifactType=a/a&artifactType=c/c")).toEqual(["a/a", "c/c"]);
  expect(await types("?artifactType=d/d")).toEqual([]);
});

test.each([`app/referrers/${digestOf("x")}`, `no/such/repository/referrers/${digestOf("x", "sha512")}`])(
  "%s is never 404",
  async (path) => {
    const { send } = testRegistry();
    const answer = await send("GET", `/v2/${path}`);
    expect(answer).toMatchObject({
      status: 200,
      json: { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] },
    });
  },
);

test("referrers of no digest are refused", async () => {
  const { send } = testRegistry();
  expect(await send("GET", "/v2/app/referrers/latest")).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
});

test("many or large referrers come in pages that together are all", async () => {
  const { send } = testRegistry();
  const subject = digestOf("popular");
  const pushed = new Set<string>();
  for (let i = 0; i < 5; i++)
    pushed.add(await attach(send, subject, "a/a", { annotations: { i: String(i), large: "x".repeat(900_000) } }));
  for (const start of [`/v2/app/referrers/${subject}`, `/v2/app/referrers/${subject}?n=2&artifactType=a/a`]) {
    const seen: string[] = [];
    let pages = 0;
    for (let path: string | undefined = start; path; pages++) {
      const { json, headers, bytes } = await send("GET", path);
      expect(bytes.byteLength).toBeLessThan(4 * 1024 * 1024);
      seen.push(...(json as { manifests: { digest: string }[] }).manifests.map((manifest) => manifest.digest));
      path = next(headers);
    }
    expect(pages).toBe(3);
    expect(new Set(seen)).toEqual(pushed);
    expect(seen).toHaveLength(5);
  }
});
