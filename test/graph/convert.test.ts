import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { buildManifest, manifestBody, parseManifest, type Manifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { convertToOci } from "../../src/graph/convert.ts";
import * as images from "../support/images.ts";

/** Converts an image whose children can be fetched; tells what was made and fetched. */
async function convert(image: images.TestImage) {
  const there = new Map(images.allOf(image).map(({ manifest }) => [manifest.descriptor.digest, manifest]));
  const fetched: Digest[] = [];
  const kept: Manifest[] = [];
  const root = await convertToOci(image.manifest, {
    image: "host.example/app:v1",
    fetch: async ({ digest }) => (fetched.push(digest), there.get(digest)!),
    keep: (made) => kept.push(made),
  });
  return { root, fetched, kept };
}

describe("Docker's manifests become OCI's", () => {
  test("an image: types alone, blobs and all else as they were", async () => {
    const image = images.image("docker", { docker: true, annotations: { a: "b" } });
    const { root, kept } = await convert(image);
    expect(kept).toEqual([root]);
    expect(root.descriptor.mediaType).toBe(mediaTypes.ociManifest);
    expect(root.blobs.map(({ mediaType }) => mediaType)).toEqual([
      mediaTypes.ociConfig,
      mediaTypes.ociLayerGzip,
      mediaTypes.ociLayerGzip,
    ]);
    const plain = (manifest: Manifest) => manifest.blobs.map(({ digest, size }) => ({ digest, size }));
    expect(plain(root)).toEqual(plain(image.manifest));
    expect(manifestBody(root)["annotations"]).toEqual({ a: "b" });
    expect(Object.keys(manifestBody(root))).toEqual(Object.keys(manifestBody(image.manifest)));
  });

  test("an index: its children first, each entry with its new digest and size, and its platform", async () => {
    const index = images.twoPlatforms("docker", { docker: true });
    const { root, kept } = await convert(index);
    expect(root.descriptor.mediaType).toBe(mediaTypes.ociIndex);
    expect(kept.map((one) => one.descriptor.mediaType)).toEqual([
      mediaTypes.ociManifest,
      mediaTypes.ociManifest,
      mediaTypes.ociIndex,
    ]);
    expect(root.manifests).toEqual(
      kept.slice(0, 2).map(({ descriptor: { mediaType, digest, size } }, i) => ({
        mediaType,
        digest,
        size,
        platform: index.manifest.manifests[i]!.platform,
      })),
    );
  });

  test("layers of every kind", async () => {
    const { descriptor } = images.randomBlob("layer");
    const types = [
      mediaTypes.dockerLayer,
      mediaTypes.dockerLayerTar,
      mediaTypes.dockerForeignLayer,
      "application/vnd.example",
      "constructor",
    ];
    const manifest = buildManifest({
      mediaType: mediaTypes.dockerManifest,
      config: { ...descriptor, mediaType: mediaTypes.dockerConfig },
      layers: types.map((mediaType) => ({ ...descriptor, mediaType, urls: ["https://host.example/x"] })),
    });
    const { root } = await convert({ manifest, blobs: [], children: [] });
    expect(root.blobs.slice(1).map(({ mediaType }) => mediaType)).toEqual([
      mediaTypes.ociLayerGzip,
      mediaTypes.ociLayer,
      "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      "application/vnd.example",
      "constructor",
    ]);
    expect(root.blobs[3]!.urls).toEqual(["https://host.example/x"]);
  });

  test("Docker's children in an OCI index change it too", async () => {
    const { root, kept } = await convert(
      images.indexOf([images.image("oci child"), images.image("docker child", { docker: true })]),
    );
    expect(kept).toHaveLength(2);
    expect(root.manifests.map(({ mediaType }) => mediaType)).toEqual([mediaTypes.ociManifest, mediaTypes.ociManifest]);
  });

  test("an entry that is no manifest is only named anew", async () => {
    const { descriptor } = images.randomBlob("blob in an index");
    const manifest = buildManifest({
      mediaType: mediaTypes.dockerIndex,
      manifests: [{ ...descriptor, mediaType: mediaTypes.dockerLayer }],
    });
    const { root, fetched } = await convert({ manifest, blobs: [], children: [] });
    expect(root.blobs).toEqual([{ ...descriptor, mediaType: mediaTypes.ociLayerGzip }]);
    expect(fetched).toEqual([]);
  });
});

describe("what is OCI's already", () => {
  test.each([
    ["an image", images.image("oci")],
    ["an index", images.twoPlatforms("oci")],
    ["an index in an index", images.nestedIndex("oci")],
    ["an artifact", images.artifact("artifact", images.image("subject").manifest.descriptor)],
    ["an artifact of the old kind", images.artifactManifest("old", images.image("subject").manifest.descriptor)],
  ])("stays the same: %s", async (_, image) => {
    const { root, kept } = await convert(image);
    expect(root).toBe(image.manifest);
    expect(kept).toEqual([]);
  });

  test("stays the same where it says no type and is written in its own way", async () => {
    const { manifest } = images.image("typeless");
    const { mediaType: _, ...body } = manifestBody(manifest);
    const typeless = parseManifest(Buffer.from(JSON.stringify(body, undefined, 3)));
    const { root } = await convert({ manifest: typeless, blobs: [], children: [] });
    expect(root).toBe(typeless);
  });

  test("stays the same where it is nested deeper than it could be written", async () => {
    const text = Buffer.from(images.image("deep").manifest.bytes).toString();
    const deep = parseManifest(
      Buffer.from(`${text.slice(0, -1)},"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
    );
    const { root } = await convert({ manifest: deep, blobs: [], children: [] });
    expect(root).toBe(deep);
  });
});

test("a child that is listed many times is converted once", async () => {
  let image = images.image("leaf", { docker: true });
  for (let level = 0; level < 5; level++)
    image = images.indexOf(
      Array.from({ length: 10 }, () => image),
      { docker: true },
    );
  const { fetched, kept } = await convert(image);
  expect(fetched).toHaveLength(5);
  expect(kept).toHaveLength(6);
});
