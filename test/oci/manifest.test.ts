import { describe, expect, test } from "vitest";
import { buildManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { thrownBy } from "./hostile.ts";
import { sha256, sha512 } from "./reference-table.ts";
import { child, config, image, index, layer, parse, type Json } from "./manifest-bodies.ts";

const without = (body: Json, ...names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

describe("each kind of manifest is read for what it needs", () => {
  test.each([mediaTypes.ociManifest, mediaTypes.dockerManifest])("%s", (mediaType) => {
    const read = parse({ ...image, mediaType });
    expect(read.descriptor).toMatchObject({ mediaType, artifactType: mediaTypes.ociConfig });
    expect(read.config).toEqual(config);
    expect(read.blobs).toEqual([config, layer]);
    expect(read.blobs[0]).toBe(read.config);
    expect(read.manifests).toEqual([]);
    expect("subject" in read).toBe(false);
  });

  test.each([mediaTypes.ociIndex, mediaTypes.dockerIndex])("%s", (mediaType) => {
    const cache = { ...layer, mediaType: "application/vnd.buildkit.cacheconfig.v0" };
    const nested = { ...child, mediaType: mediaTypes.dockerIndex };
    const old = { ...child, mediaType: mediaTypes.ociArtifact };
    const read = parse({ ...index, mediaType, manifests: [child, cache, nested, old] });
    expect(read.descriptor.mediaType).toBe(mediaType);
    expect(read.manifests).toEqual([child, nested, old]);
    expect(read.blobs).toEqual([cache]);
    expect(read.config).toBeUndefined();
    expect("artifactType" in read.descriptor).toBe(false);
  });

  test("the artifact manifest that image-spec withdrew", () => {
    const read = parse({ mediaType: mediaTypes.ociArtifact, artifactType: "text/x", blobs: [layer], subject: child });
    expect(read).toMatchObject({
      blobs: [layer],
      manifests: [],
      subject: { digest: sha256 },
      descriptor: { artifactType: "text/x" },
    });
    expect(parse({ mediaType: mediaTypes.ociArtifact, artifactType: "text/x" }).blobs).toEqual([]);
  });

  test("an artifact in an image manifest, attached", () => {
    const annotations = { "org.example": "x" };
    const read = parse({ ...image, artifactType: "text/x", subject: config, annotations });
    expect(read.subject).toEqual(config);
    expect(read.descriptor).toMatchObject({ artifactType: "text/x", annotations });
  });

  test("an index with a subject, and one of nothing", () => {
    expect(parse({ ...index, subject: config, artifactType: "text/x" })).toMatchObject({
      subject: config,
      descriptor: { artifactType: "text/x" },
    });
    expect(parse({ ...index, manifests: [] }).manifests).toEqual([]);
    expect(parse(without(index, "manifests")).manifests).toEqual([]);
  });
});

describe("the type", () => {
  const bareImage = without(image, "mediaType");
  const bareIndex = without(index, "mediaType");
  test.for<readonly [what: string, body: Json, header: string | undefined, type: string]>([
    ["is what the body says", image, undefined, mediaTypes.ociManifest],
    ["is what body and header say", image, mediaTypes.ociManifest, mediaTypes.ociManifest],
    ["is what the body says, if the header says nothing of use", image, "application/json", mediaTypes.ociManifest],
    [
      "is what the header says, if the body says nothing",
      bareImage,
      mediaTypes.dockerManifest,
      mediaTypes.dockerManifest,
    ],
    [
      "is what the header says, if the body says the empty text",
      { ...image, mediaType: "" },
      mediaTypes.dockerManifest,
      mediaTypes.dockerManifest,
    ],
    [
      "is what the header says, if the body says null",
      { ...index, mediaType: null },
      mediaTypes.dockerIndex,
      mediaTypes.dockerIndex,
    ],
    ["of an index is seen", bareIndex, undefined, mediaTypes.ociIndex],
    ["of an image is seen", bareImage, "text/plain", mediaTypes.ociManifest],
  ])("%s", ([, body, header, type]) => {
    expect(parse(body, { mediaType: header }).descriptor.mediaType).toBe(type);
  });

  test.for<readonly [what: string, body: unknown, header: string | undefined, message: string]>([
    [
      "is not the header's",
      image,
      mediaTypes.ociIndex,
      `it calls itself "${mediaTypes.ociManifest}" but came as ${mediaTypes.ociIndex}`,
    ],
    ["is not the header's, by a dialect", image, mediaTypes.dockerManifest, "but came as"],
    [
      "is no manifest's, though the header's is",
      { ...image, mediaType: "text/plain" },
      mediaTypes.ociManifest,
      'it calls itself "text/plain"',
    ],
    ["cannot be seen", { schemaVersion: 2 }, undefined, "neither a known mediaType nor the fields"],
    [
      "cannot be seen from fields of the wrong kind",
      { config: "x", manifests: {} },
      undefined,
      "neither a known mediaType nor the fields",
    ],
    ["is a number", { ...image, mediaType: 5 }, undefined, "mediaType is not a text"],
    ["is a list", { ...image, mediaType: [mediaTypes.ociManifest] }, undefined, "mediaType is not a text"],
  ])("is refused where it %s", ([, body, header, message]) => {
    expect(thrownBy(() => parse(body, { mediaType: header }))).toMatchObject({
      code: "MANIFEST_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("is refused where nobody knows it: its blobs would be lost", () => {
    const error = thrownBy(() => parse({ ...image, mediaType: "application/vnd.example+json" }));
    expect(error).toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining('"application/vnd.example+json"'),
    });
    expect(error.hint).toContain(mediaTypes.ociIndex);
  });
});

describe("one body passes for one kind only (CVE-2021-41190)", () => {
  test.for<readonly [what: string, body: Json, header?: string]>([
    ["an image with manifests", { ...image, manifests: [child] }],
    ["an image with an empty list of manifests", { ...image, manifests: [] }],
    ["an index with layers", { ...index, layers: [layer] }],
    ["an index with a config", { ...index, config }],
    ["both, without a type", { schemaVersion: 2, config, layers: [layer], manifests: [child] }],
    [
      "both, an image by its header",
      { schemaVersion: 2, config, layers: [layer], manifests: [child] },
      mediaTypes.ociManifest,
    ],
    [
      "both, an index by its header",
      { schemaVersion: 2, config, layers: [layer], manifests: [child] },
      mediaTypes.dockerIndex,
    ],
    ["an image with schema 1's layers", { ...image, fsLayers: [] }],
    ["an index with schema 1's layers", { ...index, fsLayers: [] }],
    ["an image with Manifests, which Go reads as manifests", { ...image, Manifests: [child] }],
    ["an index with LAYERS", { ...index, LAYERS: [layer] }],
    ["an image with MediaType", { ...image, MediaType: mediaTypes.ociIndex }],
    ["an index with another list, the s of it long", { ...index, "manifest\u017f": [child] }],
    ["a layer with another Digest", { ...image, layers: [{ ...layer, Digest: sha256 }] }],
    ["a child with another DIGEST", { ...index, manifests: [{ ...child, DIGEST: sha512 }] }],
    [
      "a child with another Platform",
      { ...index, manifests: [{ ...child, Platform: { os: "windows", architecture: "amd64" } }] },
    ],
    [
      "a platform with another OS",
      { ...index, manifests: [{ ...child, platform: { os: "linux", OS: "windows", architecture: "amd64" } }] },
    ],
    ["a subject with another Size", { ...image, subject: { ...config, Size: 1 } }],
  ])("%s is refused", ([, body, header]) => {
    expect(thrownBy(() => parse(body, { mediaType: header })).code).toBe("MANIFEST_INVALID");
  });

  test("fields that nobody reads may be called anything", () => {
    expect(parse({ ...image, Extra: 1, extra: 2, annotations: { Digest: "a", digest: "b" } }).blobs).toHaveLength(2);
  });
});

describe("Docker's schema 1 is named, with a way out", () => {
  test.for<readonly [body: Json, header?: string]>([
    [{ schemaVersion: 1, name: "app", tag: "v1", fsLayers: [] }],
    [{ schemaVersion: 1, fsLayers: [] }, "application/vnd.docker.distribution.manifest.v1+prettyjws"],
    [{ fsLayers: [] }, "application/vnd.docker.distribution.manifest.v1+json"],
    [{ schemaVersion: 1, mediaType: mediaTypes.ociManifest, config, layers: [] }],
  ])("%j %j", ([body, header]) => {
    expect(thrownBy(() => parse(body, { mediaType: header }))).toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("push the image again"),
    });
  });
});

describe("buildManifest", () => {
  test("puts schemaVersion first, and bytes and fields agree", () => {
    const made = buildManifest({ mediaType: mediaTypes.ociManifest, config, layers: [layer] });
    expect(Buffer.from(made.bytes).toString()).toBe(JSON.stringify(image));
    expect(made).toEqual(parse(image));
    expect(buildManifest({ mediaType: mediaTypes.ociIndex, manifests: [] }, "sha512").descriptor.digest).toMatch(
      /^sha512:/,
    );
  });

  test("makes nothing that could not be read", () => {
    expect(thrownBy(() => buildManifest({ mediaType: mediaTypes.ociManifest })).code).toBe("MANIFEST_INVALID");
  });
});
