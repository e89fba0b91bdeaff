import { writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hexOf } from "../src/oci/digest.ts";
import { createClient, type Client } from "../src/client.ts";
import { check } from "../src/graph/check.ts";
import { ociArchiveStore } from "../src/store/archive/oci-archive.ts";
import { soleReference } from "../src/store/local-store.ts";
import { createRegistry, memoryStorage } from "../src/server/index.ts";
import * as images from "./support/images.ts";

interface Started {
  readonly host: string;
  close(): Promise<void>;
}

let [first, second, dir]: [Started, Started, string] = [undefined!, undefined!, ""];
let client: Client;
let requests: string[] = [];

beforeEach(async () => {
  const start = async (): Promise<Started> =>
    createRegistry({ storage: memoryStorage() }).listen({ host: "127.0.0.1", port: 0 });
  [first, second, dir] = [await start(), await start(), await mkdtemp(join(tmpdir(), "gantry-copy-"))];
  requests = [];
  client = createClient({
    env: { HOME: dir },
    onEvent: (event) => {
      if (event.type === "request") requests.push(`${event.host} ${event.method} ${new URL(event.url).pathname}`);
    },
  });
});

afterEach(async () => {
  await client.close();
  await Promise.all([first.close(), second.close(), rm(dir, { recursive: true })]);
});

const ask = (host: string, pattern: RegExp): readonly string[] =>
  requests.filter((line) => line.startsWith(`${host} `) && pattern.test(line));
const seed = async (image: images.TestImage, at: string): Promise<void> => {
  const { store, ref } = client.open(at);
  await images.putImage(store, image, ref);
  requests = [];
};

describe("the requests of a copy, N blobs", () => {
  const image = images.image("budget", { layers: 5 });
  const blobs = image.blobs.length;

  test("first: 1 + N at the source, at most 3N + 1 at the destination; again: 1, and N HEAD + 1", async () => {
    await seed(image, `${first.host}/app:v1`);
    const copy = async () => client.copy(`${first.host}/app:v1`, `${second.host}/app`, { referrers: false });
    expect(await copy()).toMatchObject({ failures: [], images: [{ blobs: { written: blobs } }] });
    expect(ask(first.host, /./)).toHaveLength(1 + blobs);
    expect(ask(second.host, /./).length).toBeLessThanOrEqual(3 * blobs + 1);
    requests = [];
    expect(await copy()).toMatchObject({ failures: [], bytes: 0, images: [{ blobs: { exists: blobs } }] });
    expect(ask(first.host, /./)).toEqual([`${first.host} GET /v2/app/manifests/v1`]);
    expect(ask(second.host, / HEAD .*\/blobs\//)).toHaveLength(blobs);
    expect(ask(second.host, /./)).toHaveLength(blobs + 1);
  });

  test("of what is attached: one list of tags, and one of referrers for each manifest", async () => {
    await seed(images.twoPlatforms("budget"), `${first.host}/app:v1`);
    await client.copy(`${first.host}/app:v1`, `${second.host}/app`);
    expect(ask(first.host, /\/tags\/list/)).toHaveLength(1);
    expect(ask(first.host, /\/referrers\//)).toHaveLength(3);
  });

  test("inside one registry: a mount for each blob, and no blob is read", async () => {
    await seed(image, `${first.host}/app:v1`);
    const outcome = await client.copy(`${first.host}/app:v1`, `${first.host}/other/app`, { referrers: false });
    expect(outcome).toMatchObject({ failures: [], bytes: 0, images: [{ blobs: { mounted: blobs, written: 0 } }] });
    expect(ask(first.host, / (GET|PUT|PATCH) .*\/blobs\//)).toEqual([]);
  });

  test("for all tags that are there already: a list and one for each tag at each end", async () => {
    await seed(image, `${first.host}/app:v1`);
    await seed(images.image("second"), `${first.host}/app:v2`);
    const copy = async () =>
      client.copy(`${first.host}/app`, `${second.host}/app`, { allTags: true, referrers: false });
    expect((await copy()).images.map((one) => one.outcome)).toEqual(["copied", "copied"]);
    requests = [];
    expect((await copy()).images.map((one) => one.outcome)).toEqual(["unchanged", "unchanged"]);
    expect(ask(first.host, /./)).toHaveLength(1 + 2);
    expect(ask(second.host, /./)).toHaveLength(1 + 2);
  });
});

describe("the destination's name", () => {
  const image = images.twoPlatforms("names");
  const { digest } = image.manifest.descriptor;
  const at = async (location: string) => (await client.open(location).store.head(client.open(location).ref!))?.digest;

  test.each([
    ["app:v1", "mirror/app", "mirror/app:v1"],
    ["app:v1", "mirror/app:stable", "mirror/app:stable"],
    [`app@${digest}`, "mirror/app", `mirror/app@${digest}`],
    [`app:v1@${digest}`, "mirror/app", "mirror/app:v1"],
    ["app:v1", `mirror/app:v9@${digest}`, "mirror/app:v9"],
  ])("%s to %s is %s", async (from, to, expected) => {
    await seed(image, `${first.host}/app:v1`);
    const { failures } = await client.copy(`${first.host}/${from}`, `${second.host}/${to}`);
    expect(failures).toEqual([]);
    expect(await at(`${second.host}/${expected}`)).toBe(digest);
    expect(await at(`${second.host}/mirror/app:latest`)).toBeUndefined();
  });

  test("with a digest is that digest or an error before anything is written", async () => {
    await seed(image, `${first.host}/app:v1`);
    const other = `sha256:${"0".repeat(64)}`;
    await expect(client.copy(`${first.host}/app:v1`, `${second.host}/app@${other}`)).rejects.toMatchObject({
      code: "INVALID",
    });
    expect(ask(second.host, /./)).toEqual([]);
  });

  test("may be several tags of one place and several places, read once", async () => {
    await seed(image, `${first.host}/app:v1`);
    const archive = `oci-archive:${dir}/app.tar`;
    const to = [`${second.host}/app:1`, `${second.host}/app:2`, `${first.host}/copy:1`, archive];
    const outcome = await client.copy(`${first.host}/app:v1`, to);
    expect(outcome.failures).toEqual([]);
    expect(outcome.images.map((one) => one.to)).toEqual([...to.slice(0, 3), `${archive}:v1`]);
    const reads = ask(first.host, / GET \/v2\/app\/blobs\//);
    expect(new Set(reads).size).toBe(reads.length);
    for (const location of to) {
      const opened = client.open(location);
      const result = await check(opened.store, await client.resolve(opened), { deep: true });
      expect(result).toMatchObject({ digest, findings: [] });
      await opened.store.close();
    }
  });

  test("is needed for a tag, and there is none for all tags", async () => {
    await expect(client.copy(`${first.host}/app`, `${second.host}/app:v1`, { allTags: true })).rejects.toMatchObject({
      code: "INVALID",
    });
    await expect(client.copy(`oci-archive:${dir}/a.tar:v1`, `oci-archive:${dir}/a.tar:v2`)).rejects.toMatchObject({
      code: "INVALID",
    });
  });
});

describe("all tags, into a docker-archive", () => {
  const [one, two] = [images.image("one"), images.twoPlatforms("two")];
  const signature = `sha256-${hexOf(one.manifest.descriptor.digest)}.sig`;
  const tagsOf = async (location: string): Promise<readonly string[]> => {
    const { store } = client.open(location);
    try {
      return await Array.fromAsync(store.tags());
    } finally {
      await store.close();
    }
  };

  test("are named after the repository, as each by itself is; what is attached is not", async () => {
    for (const [image, tag] of [
      [one, "1.0"],
      [two, "2.0"],
      [images.image("signs one"), signature],
    ] as const)
      await seed(image, `${first.host}/team/app:${tag}`);
    const [archive, back] = [`docker-archive:${dir}/app.tar`, `oci:${dir}/back`];
    const copy = async (to: string) => client.copy(`${first.host}/team/app`, to, { allTags: true });
    expect((await copy(archive)).images.map(({ to }) => to)).toEqual(
      ["1.0", "2.0"].map((tag) => `${archive}:${first.host}/team/app:${tag}`),
    );
    const names = [`${first.host}/team/app:1.0`, `${first.host}/team/app:2.0`, signature];
    expect(await tagsOf(archive)).toEqual(names);
    expect((await copy(archive)).images.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
    expect((await client.copy(`${first.host}/team/app:1.0`, archive)).failures).toEqual([]);
    expect(await tagsOf(archive)).toEqual(names);
    expect((await client.copy(`${archive}:${first.host}/team/app:1.0`, `${back}:1.0`)).failures).toEqual([]);
    expect(await tagsOf(back)).toEqual(["1.0", signature]);
  });

  test("of a layout are named after its directory, where they are no whole names", async () => {
    for (const tag of ["1.0", "team/other:2.0"]) {
      const { store } = client.open(`oci:${dir}/layout`);
      await images.putImage(store, tag === "1.0" ? one : two, tag);
    }
    const archive = `docker-archive:${dir}/app.tar`;
    await client.copy(`oci:${dir}/layout`, archive, { allTags: true });
    expect(await tagsOf(archive)).toEqual(["layout:1.0", "team/other:2.0"]);
  });
});

describe("all tags, out of a format with whole names", () => {
  const put = async (location: string, ...tags: readonly string[]): Promise<string> => {
    const { store } = client.open(location);
    for (const tag of tags) await images.putImage(store, images.image(tag), tag);
    await store.flush();
    await store.close();
    return location;
  };

  test.each(["docker-archive", "oci"])("go into a repository under their tags: %s", async (format) => {
    const from = await put(`${format}:${dir}/app`, "example.test/app:1.0", "example.test/app:2.0");
    const { images: copied } = await client.copy(from, `${second.host}/app`, { allTags: true });
    expect(copied.map(({ to }) => to).toSorted()).toEqual(["1.0", "2.0"].map((tag) => `${second.host}/app:${tag}`));
  });

  test("do not count what is attached, which goes along unless it is not to", async () => {
    const { digest } = images.image("example.test/app:1.0").manifest.descriptor;
    const signature = `sha256-${hexOf(digest)}.sig`;
    const from = await put(`oci-archive:${dir}/app.tar`, "example.test/app:1.0", `example.test/app:${signature}`);
    const copy = async (to: string, referrers: boolean) => client.copy(from, to, { allTags: true, referrers });
    expect((await copy(`${second.host}/app`, false)).images.map(({ to }) => to)).toEqual([`${second.host}/app:1.0`]);
    expect((await copy(`${first.host}/app`, true)).failures).toEqual([]);
    expect(await client.open(`${first.host}/app:${signature}`).store.head(signature)).toBeDefined();
    const store = ociArchiveStore(`${dir}/app.tar`);
    expect(await soleReference(store)).toBe("example.test/app:1.0");
    await store.close();
  });

  test("two that would be one tag are refused before anything is written", async () => {
    const from = await put(`docker-archive:${dir}/app.tar`, "app:1.0", "other:1.0", "other:2.0");
    await expect(client.copy(from, `${second.host}/app`, { allTags: true })).rejects.toMatchObject({
      code: "INVALID",
      message: `app:1.0 and other:1.0 would both be ${second.host}/app:1.0`,
    });
    expect(await client.open(`${second.host}/app`).store.head("2.0")).toBeUndefined();
  });

  test("two that would be one name in a docker-archive are refused", async () => {
    const from = await put(`oci:${dir}/layout`, "1.0", "layout:1.0");
    const archive = `docker-archive:${dir}/app.tar`;
    await expect(client.copy(from, archive, { allTags: true })).rejects.toMatchObject({ code: "INVALID" });
    expect(await readdir(dir)).toEqual(["layout"]);
  });
});

test("a failure keeps an archive as it was", async () => {
  await seed(images.image("kept"), `${first.host}/app:v1`);
  const archive = `oci-archive:${dir}/app.tar`;
  await client.copy(`${first.host}/app:v1`, archive);
  const outcome = await client.copy(`${first.host}/app:nothing`, archive);
  expect(outcome.failures).toMatchObject([{ error: { code: "MANIFEST_UNKNOWN", side: "source" } }]);
  const { store } = client.open(archive);
  expect((await check(store, "v1", { deep: true })).findings).toEqual([]);
  await store.close();
});

test("what an archive did not take at its end has failed, and what others took has not", async () => {
  const image = images.image("late");
  await seed(image, `${first.host}/app:v1`);
  const file = `${dir}/app.tar`;
  const [one, two, other] = [`oci-archive:${file}:1`, `oci-archive:${file}:2`, `${second.host}/app:v1`];
  const outcome = await client.copy(`${first.host}/app:v1`, [one, other, two], {
    onEvent: ({ type }) => type === "manifest" && writeFileSync(file, "somebody else's"),
  });
  expect(outcome.images.map(({ to }) => to)).toEqual([other]);
  expect(outcome.failures).toMatchObject([
    { to: one, error: { code: "CONFLICT", side: "destination" } },
    { to: two, error: { code: "CONFLICT", side: "destination" } },
  ]);
  expect(outcome.bytes).toBe(outcome.images[0]!.bytes);
});
