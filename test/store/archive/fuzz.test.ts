import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../../src/oci/digest.ts";
import { isRegistryError } from "../../../src/oci/error.ts";
import { dockerArchiveStore } from "../../../src/store/archive/docker-archive.ts";
import { ociArchiveStore } from "../../../src/store/archive/oci-archive.ts";
import type { LocalStore } from "../../../src/store/local-store.ts";
import { all } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { tarOf } from "../../support/tar.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const layer = Buffer.from(images.randomBytes("layer", 700));
const config = JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { diff_ids: [digestOf(layer)] } });
const seeds = new Map<string, Buffer>();

beforeAll(async () => {
  seeds.set(
    "legacy",
    await tarOf([
      { name: "config.json", bytes: config },
      { name: "a/layer.tar", bytes: layer },
      { name: "b/layer.tar", symlink: "../a/layer.tar" },
      {
        name: "manifest.json",
        bytes: JSON.stringify([{ Config: "config.json", RepoTags: ["app:v1"], Layers: ["b/layer.tar"] }]),
      },
    ]),
  );
});

test.each(["oci", "hybrid", "legacy", "gzip"])(
  "no %s archive with other bytes hangs a reader or throws anything but a RegistryError",
  async (kind) => {
    const folder = await temporaryDirectory();
    const seed = await seedOf(kind, join(folder, "seed.tar"));
    const path = join(folder, "mutated.tar");
    const edit = fc.record({ at: fc.nat(seed.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });
    // Where headers and JSON are: bytes of layers are but verified.
    const mutation = fc.record({ edits: fc.array(edit, { maxLength: 6 }), end: fc.option(fc.nat(seed.length)) });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ edits, end }) => {
        const bytes = Buffer.from(seed.subarray(0, end ?? seed.length));
        for (const { at, bytes: other } of edits)
          if (at < bytes.length) bytes.set(other.subarray(0, bytes.length - at), at);
        await writeFile(path, bytes);
        for (const open of [ociArchiveStore, dockerArchiveStore]) await readEverything(open(path));
      }),
      { numRuns: 150 },
    );
    expect((await readdir(folder)).sort()).toEqual(["mutated.tar", "seed.tar"]);
  },
);

test.each(["index.json", "manifest.json", "config.json"])(
  "no archive with other JSON for its %s does either",
  async (name) => {
    const path = join(await temporaryDirectory(), "archive.tar");
    const { mediaType, digest, size } = images.image("made").manifest.descriptor;
    const word = fc.constantFrom("config.json", "a/layer.tar", "../x", "app:v1", mediaType, digest, String(size), "");
    const key = fc.constantFrom(
      "manifests",
      "mediaType",
      "digest",
      "size",
      "Config",
      "Layers",
      "RepoTags",
      "rootfs",
      "diff_ids",
      "annotations",
    );
    const value = fc.letrec((again) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        word,
        fc.integer(),
        fc.constant(null),
        fc.array(again("any")),
        fc.dictionary(key, again("any")),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(value.any, async (json) => {
        const entries = [
          { name: "config.json", bytes: config },
          { name: "a/layer.tar", bytes: layer },
          { name: "manifest.json", bytes: '[{"Config":"config.json","Layers":["a/layer.tar"]}]' },
        ].filter((entry) => entry.name !== name);
        await writeFile(path, await tarOf([...entries, { name, bytes: JSON.stringify(json) }]));
        for (const open of [ociArchiveStore, dockerArchiveStore]) await readEverything(open(path));
      }),
      { numRuns: 100 },
    );
  },
);

async function seedOf(kind: string, path: string): Promise<Buffer> {
  const legacy = seeds.get("legacy")!;
  if (kind === "legacy" || kind === "gzip") {
    await writeFile(path, legacy);
    return kind === "gzip" ? gzipSync(legacy) : legacy;
  }
  const store = kind === "oci" ? ociArchiveStore(path) : dockerArchiveStore(path);
  const made = images.twoPlatforms("seed", { layers: 1, layerSize: 100 });
  await images.putImage(store, made, "app:v1");
  await images.putImage(store, images.artifact("attached", made.manifest.descriptor));
  await store.flush();
  await store.close();
  return readFile(path);
}

async function readEverything(store: LocalStore): Promise<void> {
  try {
    for (const { digest } of await store.roots()) {
      const manifest = await store.manifest(digest);
      for (const blob of manifest?.blobs ?? []) for await (const _ of await store.blob(blob.digest));
      await all(store.referrers(digest));
    }
    for (const tag of await all(store.tags())) await store.manifest(tag);
  } catch (error) {
    if (!isRegistryError(error)) throw error;
  } finally {
    await store.close();
  }
}
