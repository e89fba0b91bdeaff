import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { collect } from "../../../src/oci/stream.ts";
import { openArchive } from "../../../src/store/archive/archive-file.ts";
import { dockerArchiveStore, type DockerArchiveOptions } from "../../../src/store/archive/docker-archive.ts";
import { dockerNaming } from "../../../src/store/archive/docker-naming.ts";
import { ociArchiveStore } from "../../../src/store/archive/oci-archive.ts";
import { soleReference, type LocalStore } from "../../../src/store/local-store.ts";
import { all, expectCode, storeContract } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { tarOf, type TarEntry } from "../../support/tar.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

storeContract(
  "dockerArchiveStore",
  async () => {
    const path = join(await temporaryDirectory(), "image.tar");
    return { store: dockerArchiveStore(path), reopen: async () => dockerArchiveStore(path) };
  },
  { tagged: (tag) => `registry.example/team/app:${tag}` },
);

function opened(path: string, options?: DockerArchiveOptions): LocalStore {
  const store = dockerArchiveStore(path, options);
  onTestFinished(() => store.close());
  return store;
}

async function archiveOf(entries: readonly TarEntry[]): Promise<LocalStore> {
  const path = join(await temporaryDirectory(), "image.tar");
  await writeFile(path, await tarOf(entries));
  return opened(path);
}

describe("manifest.json", () => {
  type Put = readonly (readonly [image: images.TestImage, ...tags: (string | undefined)[]])[];

  async function manifestJson(puts: Put, options?: DockerArchiveOptions): Promise<Record<string, unknown>[]> {
    const path = join(await temporaryDirectory(), "image.tar");
    const store = opened(path, options);
    for (const [made, ...tags] of puts) for (const tag of tags) await images.putImage(store, made, tag);
    await store.flush();
    const archive = (await openArchive(path, undefined))!;
    onTestFinished(() => archive.close());
    return JSON.parse(Buffer.from((await archive.read("manifest.json", 1e6))!).toString());
  }

  const blob = ({ descriptor }: images.TestBlob): string => `blobs/sha256/${hexOf(descriptor.digest)}`;
  const entry = ({ blobs }: images.TestImage, tags: readonly string[] | null): unknown => ({
    Config: blob(blobs[0]!),
    RepoTags: tags,
    Layers: blobs.slice(1).map(blob),
  });
  const [one, two] = [images.image("one"), images.image("two", { docker: true })];
  const index = images.twoPlatforms("index");

  test("lists every image, with names as people write them", async () => {
    const tags = ["busybox", "docker.io/team/app:v1", "registry.example/app:v2"];
    expect(
      await manifestJson([
        [one, ...tags],
        [two, "two:v1"],
      ]),
    ).toEqual([entry(one, ["busybox:latest", "team/app:v1", "registry.example/app:v2"]), entry(two, ["two:v1"])]);
  });

  test("lists an image without a name", async () => {
    expect(await manifestJson([[one, undefined]])).toEqual([entry(one, null)]);
  });

  test.each([
    ["linux/amd64", 0],
    ["linux/arm64", 1],
    ["windows/amd64", 0],
  ])("has of an index the image for %s, else the first", async (platform, child) => {
    const images = await manifestJson([[index, "app:v1"]], { platform: parsePlatform(platform) });
    expect(images).toEqual([entry(index.children[child]!, ["app:v1"])]);
  });

  test("looks into an index in an index", async () => {
    const nested = images.indexOf([images.indexOf([one])]);
    expect(await manifestJson([[nested, "app:v1"]], { platform: parsePlatform("linux/amd64") })).toEqual([
      entry(one, ["app:v1"]),
    ]);
  });

  test("leaves out what is attached, and what is no image", async () => {
    const attached = images.artifact("attached", one.manifest.descriptor);
    expect(
      await manifestJson([
        [one, "app:v1"],
        [attached, undefined],
      ]),
    ).toEqual([entry(one, ["app:v1"])]);
    expect(await manifestJson([[attached, "artifact:v1"]])).toEqual([]);
  });

  test("leaves out what a tag says is attached", async () => {
    const signature = `sha256-${hexOf(one.manifest.descriptor.digest)}.sig`;
    for (const name of [signature, `127.0.0.1:5000/app:${signature}`]) {
      expect(
        await manifestJson([
          [one, "app:v1"],
          [images.image("signs one"), name],
        ]),
      ).toEqual([entry(one, ["app:v1"])]);
    }
  });

  test("refuses a name that cannot be one", async () => {
    for (const bad of ["UPPER:v1", "a b", `app@${digestOf("x")}`, ""])
      await expectCode("INVALID", () => manifestJson([[one, bad]]));
  });
});

describe("an archive that is a layout too", () => {
  test("answers to names in any form, digests and places", async () => {
    const path = join(await temporaryDirectory(), "image.tar");
    const writer = opened(path);
    const made = [images.image("first"), images.twoPlatforms("second")];
    await images.putImage(writer, made[0]!, "busybox:v1");
    await images.putImage(writer, made[1]!, "registry.example/app");
    await writer.flush();
    await writer.close();
    const store = opened(path);
    expect(await all(store.tags())).toEqual(["busybox:v1", "registry.example/app:latest"]);
    const refs = [
      [
        "busybox:v1",
        "docker.io/library/busybox:v1",
        "index.docker.io/busybox:v1",
        made[0]!.manifest.descriptor.digest,
        "@0",
      ],
      ["registry.example/app", "registry.example/app:latest", made[1]!.manifest.descriptor.digest, "@1"],
    ];
    for (const [i, names] of refs.entries()) {
      for (const name of names)
        expect((await store.head(name))?.digest, name).toBe(made[i]!.manifest.descriptor.digest);
    }
    for (const absent of ["busybox", "busybox:v2", "app", "@2", "@x"])
      expect(await store.head(absent), absent).toBeUndefined();
    await expectCode("INVALID", () => soleReference(store));
  });

  test("has the names of its manifest.json where index.json has none", async () => {
    const [path, made] = [join(await temporaryDirectory(), "image.tar"), images.image("exported")];
    const writer = ociArchiveStore(path);
    await images.putImage(writer, made);
    await writer.flush();
    await writer.close();
    const layout = (await openArchive(path, undefined))!;
    const files = [
      "index.json",
      "oci-layout",
      ...[made.manifest, ...made.blobs].map(({ descriptor }) => `blobs/sha256/${hexOf(descriptor.digest)}`),
    ];
    const entries = await Promise.all(files.map(async (name) => ({ name, bytes: (await layout.read(name, 1e6))! })));
    await layout.close();
    const Config = `blobs/sha256/${hexOf(made.blobs[0]!.descriptor.digest)}`;
    const manifest = JSON.stringify([{ Config, RepoTags: ["app:v1"], Layers: [] }]);
    const store = await archiveOf([...entries, { name: "manifest.json", bytes: manifest }]);
    expect(await all(store.tags())).toEqual(["app:v1"]);
    expect((await store.head("app:v1"))?.digest).toBe(made.manifest.descriptor.digest);
    expect(await soleReference(store)).toBe("app:v1");
  });

  test("without a manifest.json is read as well", async () => {
    const path = join(await temporaryDirectory(), "image.tar");
    const writer = ociArchiveStore(path);
    const made = images.image("plain");
    await images.putImage(writer, made, "v1");
    await writer.flush();
    await writer.close();
    expect((await opened(path).head("v1"))?.digest).toBe(made.manifest.descriptor.digest);
  });
});

describe("an archive with a manifest.json alone", () => {
  const layers = ["one", "two"].map((name) => Buffer.from(images.randomBytes(name, 5000)));
  const configOf = (contents: readonly Uint8Array[]): Buffer =>
    Buffer.from(
      JSON.stringify({
        os: "linux",
        architecture: "amd64",
        rootfs: { type: "layers", diff_ids: contents.map((bytes) => digestOf(bytes)) },
      }),
    );
  const config = configOf(layers);
  const configName = `${hexOf(digestOf(config))}.json`;
  const manifest = (
    Layers: readonly string[],
    RepoTags: unknown = ["app:v1", "app:v2"],
    Config = configName,
  ): TarEntry => ({
    name: "manifest.json",
    bytes: JSON.stringify([{ Config, RepoTags, Layers }]),
  });
  const plain: readonly TarEntry[] = [
    { name: configName, bytes: config },
    { name: "one/layer.tar", bytes: layers[0]! },
    { name: "two/layer.tar", bytes: layers[1]! },
    manifest(["one/layer.tar", "two/layer.tar"]),
  ];

  async function expectImage(
    store: LocalStore,
    ref: string,
    types: readonly string[],
    stored: readonly Uint8Array[],
  ): Promise<void> {
    const found = (await store.manifest(ref))!;
    expect(found.config).toEqual({ mediaType: found.config!.mediaType, digest: digestOf(config), size: config.length });
    expect(found.blobs.slice(1)).toEqual(
      stored.map((bytes, i) => ({ mediaType: types[i], digest: digestOf(bytes), size: bytes.byteLength })),
    );
    for (const { digest, size } of found.blobs) {
      expect(await store.size(digest)).toBe(size);
      expect(digestOf(await collect(await store.blob(digest), size))).toBe(digest);
    }
    expect((await store.manifest(found.descriptor.digest))?.bytes).toEqual(found.bytes);
  }

  test("gets a Docker manifest over the layers as they are", async () => {
    const store = await archiveOf(plain);
    expect(await all(store.tags())).toEqual(["app:v1", "app:v2"]);
    for (const ref of ["app:v1", "docker.io/library/app:v2", "@0"]) {
      await expectImage(store, ref, [mediaTypes.dockerLayerTar, mediaTypes.dockerLayerTar], layers);
    }
    expect((await store.head("app:v1"))?.mediaType).toBe(mediaTypes.dockerManifest);
    expect(await soleReference(store)).toBe("app:v1");
    expect(await all(store.referrers(digestOf(config)))).toEqual([]);
  });

  test("gets the same one for the same files", async () => {
    const digests = await Promise.all(
      [plain, plain.toReversed()].map(async (entries) => (await (await archiveOf(entries)).head("app:v1"))?.digest),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  test("may have compressed layers, and no names", async () => {
    const stored = [gzipSync(layers[0]!), layers[1]!];
    const store = await archiveOf([
      { name: configName, bytes: config },
      { name: "a.tar.gz", bytes: stored[0]! },
      { name: "b.tar", bytes: stored[1]! },
      manifest(["a.tar.gz", "b.tar"], null),
    ]);
    const ref = await soleReference(store);
    expect(ref).toMatch(/^sha256:/);
    await expectImage(store, ref, [mediaTypes.dockerLayer, mediaTypes.dockerLayerTar], stored);
    expect(await all(store.tags())).toEqual([]);
  });

  test("has OCI's types where Docker has none", async () => {
    const stored = [zstdCompressSync(layers[0]!), gzipSync(layers[1]!)];
    const store = await archiveOf([
      { name: configName, bytes: config },
      { name: "a", bytes: stored[0]! },
      { name: "b", bytes: stored[1]! },
      manifest(["a", "b"]),
    ]);
    await expectImage(store, "app:v1", [mediaTypes.ociLayerZstd, mediaTypes.ociLayerGzip], stored);
    expect((await store.head("app:v1"))?.mediaType).toBe(mediaTypes.ociManifest);
  });

  test("may have layers that are links to others", async () => {
    const twice = configOf([layers[0]!, layers[0]!]);
    const name = `${hexOf(digestOf(twice))}.json`;
    const store = await archiveOf([
      { name, bytes: twice },
      { name: "one/layer.tar", bytes: layers[0]! },
      { name: "two/layer.tar", symlink: "../one/layer.tar" },
      manifest(["one/layer.tar", "two/layer.tar"], ["app:v1"], name),
    ]);
    const found = (await store.manifest("app:v1"))!;
    expect(found.blobs[1]).toEqual(found.blobs[2]);
    expect(await store.size(found.blobs[2]!.digest)).toBe(5000);
  });

  test("may have its config named otherwise", async () => {
    for (const name of ["config.json", `sha256:${hexOf(digestOf(config))}`]) {
      const store = await archiveOf([
        { name, bytes: config },
        ...plain.slice(1, 3),
        manifest(["one/layer.tar", "two/layer.tar"], ["app:v1"], name),
      ]);
      await expectImage(store, "app:v1", [mediaTypes.dockerLayerTar, mediaTypes.dockerLayerTar], layers);
    }
  });

  test.each([
    [
      "UNVERIFIED",
      "a layer with other bytes",
      [plain[0]!, { name: "one/layer.tar", bytes: layers[1]! }, plain[2]!, plain[3]!],
    ],
    ["UNVERIFIED", "a config with other bytes", [{ name: configName, bytes: configOf([]) }, ...plain.slice(1)]],
    ["CORRUPT", "a layer that is not there", [plain[0]!, plain[2]!, plain[3]!]],
    ["CORRUPT", "a config that is not there", plain.slice(1)],
    ["CORRUPT", "too few layers", [...plain.slice(0, 3), manifest(["one/layer.tar"])]],
    [
      "CORRUPT",
      "a config that is no JSON",
      [{ name: "c", bytes: "{" }, ...plain.slice(1, 3), manifest(["one/layer.tar", "two/layer.tar"], ["app:v1"], "c")],
    ],
    ["CORRUPT", "a manifest.json that is no JSON", [...plain.slice(0, 3), { name: "manifest.json", bytes: "[" }]],
    ["CORRUPT", "a manifest.json that is no list", [...plain.slice(0, 3), { name: "manifest.json", bytes: "{}" }]],
    ["CORRUPT", "an image that is no object", [...plain.slice(0, 3), { name: "manifest.json", bytes: "[1]" }]],
    [
      "CORRUPT",
      "layers that are no paths",
      [...plain.slice(0, 3), { name: "manifest.json", bytes: `[{"Config":"c","Layers":[1]}]` }],
    ],
    ["CORRUPT", "a path that leads out", [...plain.slice(0, 3), manifest(["../../etc/passwd", "two/layer.tar"])]],
    ["CORRUPT", "nothing", []],
  ] as const)("is %s with %s", async (code, _, entries) => {
    const store = await archiveOf(entries);
    await expectCode(code, () => store.manifest("app:v1"));
  });
});

test("an OCI archive is told from a docker-archive", async () => {
  const path = join(await temporaryDirectory(), "image.tar");
  await writeFile(path, await tarOf([{ name: "manifest.json", bytes: "[]" }]));
  const store = ociArchiveStore(path);
  await expect(store.head("v1")).rejects.toMatchObject({ code: "INVALID", hint: `write docker-archive:${path}` });
});

test("comparing each of many names with each other takes little time", () => {
  const names = Array.from({ length: 1000 }, (_, i) => `registry.example/team/app${i}:v1`);
  const entries = names.map((name) => ({
    ...images.image("one").manifest.descriptor,
    annotations: dockerNaming.annotations(name),
  }));
  const start = performance.now();
  for (const name of names) expect(entries.filter((entry) => dockerNaming.matches(entry, name))).toHaveLength(1);
  expect(performance.now() - start).toBeLessThan(2000);
});
