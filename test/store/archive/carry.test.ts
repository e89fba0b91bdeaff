import { appendFile, copyFile, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf, hexOf, type Digest } from "../../../src/oci/digest.ts";
import { collect, contentOf } from "../../../src/oci/stream.ts";
import { openArchive } from "../../../src/store/archive/archive-file.ts";
import { writeArchiveFile } from "../../../src/store/archive/archive-writer.ts";
import { dockerArchiveStore } from "../../../src/store/archive/docker-archive.ts";
import { ociArchiveStore } from "../../../src/store/archive/oci-archive.ts";
import type { LocalStore } from "../../../src/store/local-store.ts";
import { all, expectCode } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { tarOf, type TarEntry } from "../../support/tar.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const [one, two, index] = [images.image("one"), images.image("two"), images.twoPlatforms("index")];
const digestOfImage = ({ manifest }: images.TestImage): Digest => manifest.descriptor.digest;

const fresh = async (): Promise<string> => join(await temporaryDirectory(), "image.tar");

function opened(path: string, open = ociArchiveStore): LocalStore {
  const store = open(path);
  onTestFinished(() => store.close());
  return store;
}

/** Writes images into an archive, one process after the other. */
async function put(
  path: string,
  puts: Readonly<Record<string, images.TestImage>>,
  open = ociArchiveStore,
): Promise<void> {
  const store = open(path);
  try {
    for (const [tag, image] of Object.entries(puts)) await images.putImage(store, image, tag);
    await store.flush();
  } finally {
    await store.close();
  }
}

async function expectWhole(store: LocalStore, ref: string, made: images.TestImage): Promise<void> {
  expect((await store.head(ref))?.digest).toBe(digestOfImage(made));
  for (const { manifest, blobs } of images.allOf(made)) {
    expect((await store.manifest(manifest.descriptor.digest))?.descriptor).toEqual(manifest.descriptor);
    for (const { descriptor } of blobs) {
      expect(digestOf(await collect(await store.blob(descriptor.digest), 1e9))).toBe(descriptor.digest);
    }
  }
}

/** Gives an archive members beside its own, or in place of them. */
async function addMembers(path: string, ...entries: readonly TarEntry[]): Promise<void> {
  const archive = (await openArchive(path, undefined))!;
  const files = await Promise.all(
    archive.names().map(async (name) => ({ name, bytes: (await archive.read(name, 1e9))! })),
  );
  await archive.close();
  const names = new Set(entries.map(({ name }) => name));
  await writeFile(path, await tarOf([...files.filter(({ name }) => !names.has(name)), ...entries]));
}

async function membersOf(path: string): Promise<readonly string[]> {
  const archive = (await openArchive(path, undefined))!;
  await archive.close();
  return archive.names();
}

describe("an archive that another takes the place of", () => {
  test("goes along", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    await put(path, { v2: index });
    const store = opened(path);
    expect(await all(store.tags())).toEqual(["v1", "v2"]);
    await expectWhole(store, "v1", one);
    await expectWhole(store, "v2", index);
    expect(await readdir(join(path, ".."))).toEqual(["image.tar"]);
  });

  test("is the same file when the same is put again", async () => {
    const path = await fresh();
    await put(path, { v1: one, v2: index });
    await put(path, { v3: two });
    const before = await readFile(path);
    await put(path, { v3: two });
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test("may be read before and while something is put", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    const store = opened(path);
    expect(await store.head("v1")).toBeDefined();
    await images.putImage(store, two, "v2");
    for (const round of ["before", "after"]) {
      await expectWhole(store, "v1", one);
      expect(await all(store.tags()), round).toEqual(["v1", "v2"]);
      await store.flush();
    }
  });

  test("loses what is replaced, and what only that needed", async () => {
    const path = await fresh();
    await put(path, { v1: one, v2: two });
    await put(path, { v2: index });
    expect(await all(opened(path).tags())).toEqual(["v1", "v2"]);
    const members = await membersOf(path);
    expect(members.filter((name) => name.startsWith("blobs/"))).toHaveLength(4 + 1 + 2 * 4);
    expect(members).not.toContain(`blobs/sha256/${hexOf(digestOfImage(two))}`);
  });

  test.each([
    ["oci", ociArchiveStore],
    ["docker", dockerArchiveStore],
  ])("keeps blobs that nothing needs (%s-archive)", async (_, open) => {
    const path = await fresh();
    const loose = ["a", "b"].map((seed) => images.randomBlob(seed));
    for (const { descriptor, bytes } of loose) {
      const store = open(path);
      await store.putBlob(descriptor, contentOf(bytes));
      await store.flush();
      await store.close();
    }
    await put(path, { "app:v1": one }, open);
    await put(path, { "app:v1": two }, open);
    const kept = [two.manifest, ...two.blobs, ...loose].map(
      ({ descriptor: { digest } }) => `blobs/sha256/${hexOf(digest)}`,
    );
    expect((await membersOf(path)).filter((name) => name.startsWith("blobs/")).toSorted()).toEqual(kept.toSorted());
    const store = opened(path, open);
    for (const { descriptor } of loose)
      expect(digestOf(await collect(await store.blob(descriptor.digest), 1e9))).toBe(descriptor.digest);
  });

  test("keeps what is attached to an image that is there and not listed", async () => {
    const path = await fresh();
    const attached = images.image("attached", { subject: one.manifest.descriptor });
    const { mediaType, digest, size } = attached.manifest.descriptor;
    await put(path, { v1: one, v2: attached });
    await addMembers(path, {
      name: "index.json",
      bytes: JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType, digest, size }] }),
    });
    await put(path, { v3: two });
    expect(await all(opened(path).referrers(digestOfImage(one)))).toHaveLength(1);
    await expectWhole(opened(path), digestOfImage(one), one);
  });

  test.each(["", "127.0.0.1:5000/app:"])(
    "loses what was attached to what is replaced, and nothing else: %j",
    async (whole) => {
      const path = await fresh();
      const attached = (to: images.TestImage): images.TestImage =>
        images.image(`attached to ${digestOfImage(to)}`, { subject: to.manifest.descriptor });
      const tagOf = (image: images.TestImage): string => `${whole}sha256-${hexOf(digestOfImage(image))}.sig`;
      const elsewhere = images.image("elsewhere");
      const store = ociArchiveStore(path);
      for (const image of [one, two, elsewhere]) {
        if (image !== elsewhere) await images.putImage(store, image, image === one ? "v1" : "v2");
        await images.putImage(store, attached(image));
        await images.putImage(store, attached(attached(image)));
        await images.putImage(store, images.image(`signs ${digestOfImage(image)}`), tagOf(image));
      }
      await store.flush();
      await store.close();
      await put(path, { v2: index });
      const anew = opened(path);
      for (const [image, count] of [
        [one, 1],
        [elsewhere, 1],
        [two, 0],
      ] as const) {
        expect(await all(anew.referrers(digestOfImage(image)))).toHaveLength(count);
        expect(await all(anew.referrers(digestOfImage(attached(image))))).toHaveLength(count);
      }
      expect(await all(anew.tags())).toEqual(["v1", "v2", tagOf(one), tagOf(elsewhere)].toSorted());
    },
  );

  test("keeps what others wrote into its index, and images without a name", async () => {
    const path = await fresh();
    const { mediaType, digest, size } = one.manifest.descriptor;
    const json = { mediaType, digest, size, annotations: { "org.example.kept": "yes" } };
    await writeFile(
      path,
      await tarOf([
        { name: "oci-layout", bytes: JSON.stringify({ imageLayoutVersion: "1.0.0" }) },
        { name: "index.json", bytes: JSON.stringify({ schemaVersion: 2, manifests: [json], annotations: { a: "b" } }) },
        ...[one.manifest, ...one.blobs].map(({ descriptor, bytes }) => ({
          name: `./blobs/sha256/${hexOf(descriptor.digest)}`,
          bytes,
        })),
      ]),
    );
    await put(path, { v2: two });
    const archive = (await openArchive(path, undefined))!;
    onTestFinished(() => archive.close());
    const written = JSON.parse(Buffer.from((await archive.read("index.json", 1e6))!).toString());
    expect(written).toMatchObject({ annotations: { a: "b" }, manifests: [json, {}] });
    await expectWhole(opened(path), digest, one);
  });

  test("loses none of two images that share a tag: to write that is refused, in full it is not", async () => {
    const path = await fresh();
    await put(path, { a: one, b: two });
    const entries = [one, two].map(({ manifest: { descriptor } }, i) => ({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      annotations: {
        "org.opencontainers.image.ref.name": "latest",
        "io.containerd.image.name": `example.test/${"ab"[i]}:latest`,
      },
    }));
    await addMembers(path, {
      name: "index.json",
      bytes: JSON.stringify({ schemaVersion: 2, manifests: entries }),
    });
    const before = await readFile(path);
    await expect(put(path, { latest: index })).rejects.toMatchObject({
      code: "INVALID",
      hint: "name one in full: example.test/a:latest, example.test/b:latest",
    });
    expect((await readFile(path)).equals(before)).toBe(true);
    await put(path, { "example.test/a:latest": index });
    await expectWhole(opened(path), "example.test/a:latest", index);
    await expectWhole(opened(path), digestOfImage(two), two);
  });

  test("goes along without the parts that it lacks", async () => {
    const path = await fresh();
    const store = ociArchiveStore(path);
    await images.putImage(store, index.children[0]!);
    await store.putManifest(index.manifest, { tag: "v1" });
    await store.flush();
    await store.close();
    await put(path, { v2: two });
    const anew = opened(path);
    await expectWhole(anew, digestOfImage(index.children[0]!), index.children[0]!);
    expect(await anew.head("v1")).toBeDefined();
  });

  test("may be behind a link, which stays", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    await symlink("image.tar", `${path}.link`);
    await put(`${path}.link`, { v2: two });
    expect(await readlink(`${path}.link`)).toBe("image.tar");
    expect(await all(opened(path).tags())).toEqual(["v1", "v2"]);
  });

  test.each(["image.tar", "folder/image.tar"])("may be yet to come where a link leads, which stays: %s", async (to) => {
    const path = await fresh();
    await mkdir(join(path, "..", "folder"));
    await symlink(to, `${path}.link`);
    await symlink(`${path}.link`, `${path}.first`);
    await put(`${path}.first`, { v1: one });
    await put(`${path}.first`, { v2: two });
    expect(await readlink(`${path}.first`)).toBe(`${path}.link`);
    expect(await readlink(`${path}.link`)).toBe(to);
    expect(await all(opened(join(path, "..", to)).tags())).toEqual(["v1", "v2"]);
  });

  test("is an error where links lead in a circle, or to a folder that is not there", async () => {
    const path = await fresh();
    await symlink("image.tar", path);
    await expectCode("CORRUPT", () => put(path, { v1: one }));
    await expectCode("CORRUPT", async () => (await writeArchiveFile(path)).close());
    await symlink("absent/image.tar", `${path}.link`);
    await expectCode("INVALID", () => put(`${path}.link`, { v1: one }));
    expect(await readlink(`${path}.link`)).toBe("absent/image.tar");
  });

  test("stays where a part of it that has to go along is damaged; to put that part again mends it", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    const damaged = await readFile(path);
    damaged[damaged.indexOf(Buffer.from(one.blobs[1]!.bytes))]! ^= 1;
    await writeFile(path, damaged);
    await expect(put(path, { v2: two })).rejects.toMatchObject({
      code: "UNVERIFIED",
      message: expect.stringContaining(`oci-archive:${path} stays as it was`),
      hint: expect.stringContaining("another file"),
    });
    expect((await readFile(path)).equals(damaged)).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["image.tar"]);
    await put(path, { v1: one });
    await expectWhole(opened(path), "v1", one);
  });

  test("is not replaced where somebody changed it meanwhile", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    const slow = opened(path);
    await images.putImage(slow, two, "v2");
    await put(path, { v3: index });
    await expectCode("CONFLICT", () => slow.flush());
    await slow.close();
    expect(await all(opened(path).tags())).toEqual(["v1", "v3"]);
    expect(await readdir(join(path, ".."))).toEqual(["image.tar"]);
  });

  test("and of several that take its place at once, one does", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    const tags = Array.from({ length: 16 }, (_, i) => `own-${i}`);
    const stores = tags.map(() => opened(path));
    await Promise.all(stores.map((store, i) => images.putImage(store, two, tags[i])));
    const flushes = await Promise.allSettled(stores.map((store) => store.flush()));
    const placed = tags.filter((_, i) => flushes[i]!.status === "fulfilled");
    expect(placed).toHaveLength(1);
    expect(await all(opened(path).tags())).toEqual([...placed, "v1"]);
    await Promise.all(stores.map((store) => store.close()));
    expect(await readdir(join(path, ".."))).toEqual(["image.tar"]);
  });

  test("nor where somebody made it meanwhile", async () => {
    const path = await fresh();
    const slow = opened(path);
    await images.putImage(slow, two, "v2");
    await put(path, { v1: one });
    await expectCode("CONFLICT", () => slow.flush());
  });

  test("takes nothing along into a stream", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    const stdout = new PassThrough();
    const written = collect(stdout as AsyncIterable<Uint8Array>, 1e9);
    const store = ociArchiveStore("-", { stdout });
    await images.putImage(store, one, "v1");
    await store.flush();
    stdout.end();
    expect(digestOf(await written)).toBe(digestOf(await readFile(path)));
  });
});

describe("a file that is no such archive", () => {
  const layout = (...more: readonly TarEntry[]): readonly TarEntry[] => [
    { name: "oci-layout", bytes: JSON.stringify({ imageLayoutVersion: "1.0.0" }) },
    { name: "index.json", bytes: JSON.stringify({ schemaVersion: 2, manifests: [] }) },
    ...more,
  ];
  const cases: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    "a text": (path) => writeFile(path, "notes\n"),
    "a tar of something else": async (path) => writeFile(path, await tarOf([{ name: "notes", bytes: "notes" }])),
    "an archive that is cut off": async (path) => {
      await put(path, { v1: one });
      await writeFile(path, (await readFile(path)).subarray(0, 3000));
    },
    "an archive compressed with gzip": async (path) => {
      await put(path, { v1: one });
      await writeFile(path, gzipSync(await readFile(path)));
    },
    "an archive compressed with xz": (path) => writeFile(path, Buffer.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)),
    "an archive with more in it": async (path) =>
      writeFile(path, await tarOf(layout({ name: "gantry-bundle.json", bytes: "{}" }))),
    "an archive with a file among its blobs": async (path) =>
      writeFile(path, await tarOf(layout({ name: "blobs/sha256/README", bytes: "notes" }))),
    "a docker-archive": (path) => put(path, { "app:v1": one }, dockerArchiveStore),
    "a directory": (path) => mkdir(path),
  };

  test.each(Object.entries(cases))("stays: %s", async (_, make) => {
    const path = await fresh();
    await make(path);
    const before = await readFile(path).catch(() => undefined);
    const store = opened(path);
    await expect(store.checkPlace()).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining(path),
      hint: expect.stringMatching(/^(?:write|if)/),
    });
    await expectCode("INVALID", () => store.putBlob(one.blobs[0]!.descriptor, contentOf(one.blobs[0]!.bytes)));
    expect(await readFile(path).catch(() => undefined)).toEqual(before);
    expect(await readdir(join(path, ".."))).toEqual(["image.tar"]);
  });

  test("is a device", async () => {
    await expect(opened("/dev/null").checkPlace()).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("oci-archive:-"),
    });
  });

  test("is replaced where it is empty", async () => {
    const path = await fresh();
    await appendFile(path, "");
    const store = opened(path);
    await store.checkPlace();
    expect(await store.head("v1")).toBeUndefined();
    await images.putImage(store, one, "v1");
    await store.flush();
    await expectWhole(opened(path), "v1", one);
  });
});

describe("a docker-archive", () => {
  const manifestJson = async (path: string): Promise<readonly { readonly RepoTags: unknown }[]> => {
    const archive = (await openArchive(path, undefined))!;
    onTestFinished(() => archive.close());
    return JSON.parse(Buffer.from((await archive.read("manifest.json", 1e6))!).toString());
  };

  test("goes along, and its names are in the manifest.json", async () => {
    const path = await fresh();
    await put(path, { "app:v1": one, "other:v1": index }, dockerArchiveStore);
    await put(path, { "app:v2": two, "docker.io/library/app:v1": two }, dockerArchiveStore);
    expect((await manifestJson(path)).map(({ RepoTags }) => RepoTags)).toEqual([["other:v1"], ["app:v2", "app:v1"]]);
    await expectWhole(opened(path, dockerArchiveStore), "other:v1", index);
  });

  test("goes along as older programs wrote it, each image with the same config and layers", async () => {
    const path = await fresh();
    const layers = ["a", "b"].map((seed) => images.randomBytes(seed, 1000));
    const config = JSON.stringify({ rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) } });
    const named = `${hexOf(digestOf(Buffer.from(config)))}.json`;
    const entry = { Config: named, RepoTags: ["app:v1", "app:latest"], Layers: ["a/layer.tar", "b/layer.tar"] };
    await writeFile(
      path,
      await tarOf([
        { name: named, bytes: config },
        ...layers.map((bytes, i) => ({ name: entry.Layers[i]!, bytes })),
        ...["VERSION", "json", "layer.tar"].map((file) => ({ name: `${"0".repeat(64)}/${file}`, bytes: "1.0" })),
        { name: "repositories", bytes: "{}" },
        { name: "manifest.json", bytes: JSON.stringify([entry]) },
      ]),
    );
    await copyFile(path, `${path}.before`);
    await put(path, { "other:v2": two }, dockerArchiveStore);
    const [before, after] = [opened(`${path}.before`, dockerArchiveStore), opened(path, dockerArchiveStore)];
    expect(await all(after.tags())).toEqual(["app:latest", "app:v1", "other:v2"]);
    const { config: kept, blobs } = (await after.manifest("app:v1"))!;
    expect(kept).toEqual((await before.manifest("app:v1"))!.config);
    for (const { digest } of blobs) expect(digestOf(await collect(await after.blob(digest), 1e6))).toBe(digest);
    expect(await manifestJson(path)).toMatchObject([
      { RepoTags: ["app:v1", "app:latest"] },
      { RepoTags: ["other:v2"] },
    ]);
  });

  test.each(["NOTES", "blobs/sha256/README", "blobs/NOTES", `${"0".repeat(64)}/notes`])(
    "is not replaced where a file would be lost: %s",
    async (name) => {
      const path = await fresh();
      await put(path, { "app:v1": one }, dockerArchiveStore);
      await addMembers(path, { name, bytes: "notes" });
      const before = await readFile(path);
      await expect(put(path, { "app:v2": two }, dockerArchiveStore)).rejects.toMatchObject({
        code: "INVALID",
        message: expect.stringContaining(name),
        hint: expect.stringContaining("write to another file"),
      });
      expect((await readFile(path)).equals(before)).toBe(true);
    },
  );

  test.each([[["app:v2"]], [null]])(
    "is not replaced where an image is in its manifest.json alone: %j",
    async (RepoTags) => {
      const path = await fresh();
      await put(path, { "app:v1": one }, dockerArchiveStore);
      const [config, ...layers] = two.blobs.map(({ descriptor, bytes }) => ({
        name: `blobs/sha256/${hexOf(descriptor.digest)}`,
        bytes,
      }));
      const alone = { Config: config!.name, RepoTags, Layers: layers.map(({ name }) => name) };
      const bytes = JSON.stringify([...(await manifestJson(path)), alone]);
      await addMembers(path, config!, ...layers, { name: "manifest.json", bytes });
      const before = await readFile(path);
      await expect(put(path, { "app:v3": index }, dockerArchiveStore)).rejects.toMatchObject({
        code: "INVALID",
        message: expect.stringContaining(RepoTags?.[0] ?? config!.name),
        hint: expect.stringContaining("write to another file"),
      });
      expect((await readFile(path)).equals(before)).toBe(true);
    },
  );

  test("goes along with images that have no name", async () => {
    const path = await fresh();
    const store = opened(path, dockerArchiveStore);
    await images.putImage(store, one);
    await store.flush();
    await put(path, { "app:v2": two }, dockerArchiveStore);
    await expectWhole(opened(path, dockerArchiveStore), digestOfImage(one), one);
  });

  test("goes along whole where older programs gave two images one name: the first keeps it", async () => {
    const path = await fresh();
    const bytes = ["a", "b"].map((seed) => images.randomBytes(seed, 1000));
    const configs = bytes.map((layer) => JSON.stringify({ rootfs: { type: "layers", diff_ids: [digestOf(layer)] } }));
    const entries = configs.map((config, i) => ({
      Config: `${hexOf(digestOf(Buffer.from(config)))}.json`,
      RepoTags: [["app:v1", "docker.io/library/app:v1"][i]!],
      Layers: [`${i}/layer.tar`],
    }));
    await writeFile(
      path,
      await tarOf([
        ...configs.map((config, i) => ({ name: entries[i]!.Config, bytes: config })),
        ...bytes.map((layer, i) => ({ name: `${i}/layer.tar`, bytes: layer })),
        { name: "manifest.json", bytes: JSON.stringify(entries) },
      ]),
    );
    await put(path, { "other:v2": two }, dockerArchiveStore);
    expect((await manifestJson(path)).map(({ RepoTags }) => RepoTags)).toEqual([["app:v1"], null, ["other:v2"]]);
    const found = await opened(path, dockerArchiveStore).manifest("app:v1");
    expect(found?.config?.digest).toBe(digestOf(Buffer.from(configs[0]!)));
  });

  test("goes along with names in full as they were written, from both kinds", async () => {
    const path = await fresh();
    const config = JSON.stringify({ rootfs: { type: "layers", diff_ids: [] } });
    const named = `${hexOf(digestOf(Buffer.from(config)))}.json`;
    const RepoTags = ["docker.io/foo/a:1", "foo/b:1", "docker.io/library/c:1"];
    await writeFile(
      path,
      await tarOf([
        { name: named, bytes: config },
        { name: "manifest.json", bytes: JSON.stringify([{ Config: named, RepoTags, Layers: [] }]) },
      ]),
    );
    for (const tag of ["other:v1", "other:v2"]) await put(path, { [tag]: two }, dockerArchiveStore);
    expect(await manifestJson(path)).toMatchObject([{ RepoTags }, { RepoTags: ["other:v1", "other:v2"] }]);
    expect(await all(opened(path, dockerArchiveStore).tags())).toContain("foo/a:1");
  });

  test("is not made of an OCI archive", async () => {
    const path = await fresh();
    await put(path, { v1: one });
    await expect(opened(path, dockerArchiveStore).checkPlace()).rejects.toMatchObject({
      code: "INVALID",
      hint: `write oci-archive:${path}`,
    });
  });
});
