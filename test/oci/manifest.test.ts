import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { buildManifest, manifestBody, parseManifest, type ManifestExpectation } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { bestDuration, thrownBy } from "./hostile.ts";
import { sha256, sha512 } from "./reference-table.ts";

type Json = Readonly<Record<string, unknown>>;

const config: Json = { mediaType: mediaTypes.ociConfig, digest: sha256, size: 2 };
const layer: Json = { mediaType: mediaTypes.ociLayerGzip, digest: sha512, size: 3 };
const child: Json = {
  mediaType: mediaTypes.ociManifest,
  digest: sha256,
  size: 4,
  platform: { os: "linux", architecture: "amd64" },
};
const image: Json = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index: Json = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };

const parse = (body: unknown, expected?: ManifestExpectation) =>
  parseManifest(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), expected);
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

describe("bytes", () => {
  test("are kept as they came, and named by what they are", () => {
    const text = `{ "config":${JSON.stringify(config)},\r\n "layers" : [] ,"mediaType":"${mediaTypes.ociManifest}", "x":"\\u00e9\u00e9" }\n\n`;
    const bytes = Buffer.from(text);
    const read = parseManifest(bytes);
    expect(read.bytes).toBe(bytes);
    expect(read.descriptor).toMatchObject({ digest: digestOf(text), size: Buffer.byteLength(text) });
    expect(parseManifest(bytes, { digest: digestOf(text, "sha512") }).descriptor.digest).toBe(digestOf(text, "sha512"));
    expect(parseManifest(bytes, { algorithm: "sha512" }).descriptor.digest).toBe(digestOf(text, "sha512"));
    expect(parseManifest(bytes, { digest: digestOf(text), algorithm: "sha512" }).descriptor.digest).toBe(
      digestOf(text),
    );
    expect(manifestBody(read)["x"]).toBe("\u00e9\u00e9");
  });

  test("of another digest are corrupt, before anything in them is looked at", () => {
    for (const text of [JSON.stringify(image), "not JSON"]) {
      expect(thrownBy(() => parse(text, { digest: sha256 }))).toMatchObject({
        code: "UNVERIFIED",
        message: expect.stringContaining(`have the digest ${digestOf(text)}`),
      });
    }
  });

  test.for<readonly [what: string, bytes: Uint8Array, message: string]>([
    ["none", Buffer.from(""), "not JSON"],
    ["white space", Buffer.from(" \n"), "not JSON"],
    ["half a manifest", Buffer.from(JSON.stringify(image).slice(0, -1)), "not JSON"],
    ["two manifests", Buffer.from(JSON.stringify(image).repeat(2)), "not JSON"],
    ["a comment", Buffer.from(`${JSON.stringify(image)} // fine`), "not JSON"],
    ["NaN", Buffer.from('{"size":NaN}'), "not JSON"],
    ["HTML", Buffer.from("<!doctype html>"), "not JSON"],
    ["a byte order mark", Buffer.from(`\ufeff${JSON.stringify(image)}`), "not JSON"],
    ["UTF-16", Buffer.from(JSON.stringify(image), "utf16le"), "not JSON"],
    ["no UTF-8", Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]), "not UTF-8 text"],
    [
      "overlong UTF-8",
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
      "not UTF-8",
    ],
    [
      "half a surrogate",
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      "not UTF-8",
    ],
    ["null", Buffer.from("null"), "not a JSON object"],
    ["a list", Buffer.from("[]"), "not a JSON object"],
    ["a text", Buffer.from('"{}"'), "not a JSON object"],
    ["a number", Buffer.from("1"), "not a JSON object"],
  ])("that are %s are refused", ([, bytes, message]) => {
    expect(thrownBy(() => parseManifest(bytes))).toMatchObject({
      code: "MANIFEST_INVALID",
      message: `invalid manifest: ${message}`,
    });
  });

  test("an error quotes nothing of what cannot be read: it may be a terminal's commands", () => {
    expect(thrownBy(() => parse("\u001b[2J{}")).message).not.toContain("\u001b");
    expect(thrownBy(() => parse({ ...image, mediaType: "\u001b[2J".repeat(1000) })).message).not.toContain("\u001b");
    const named = { ...image, annotations: { [`\u001b${"x".repeat(100_000)}`]: 1 } };
    expect(thrownBy(() => parse(named)).message.length).toBeLessThan(300);
    expect(thrownBy(() => parse(named)).message).not.toContain("\u001b");
  });

  test("nested deeper than any stack are read or refused, never a crash", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const text = `${JSON.stringify(image).slice(0, -1)},"deep":${deep}}`;
    expect(parse(text).blobs).toHaveLength(2);
    expect(thrownBy(() => parse(deep)).code).toBe("MANIFEST_INVALID");
    expect(
      thrownBy(() => buildManifest({ ...manifestBody(parse(text)), mediaType: mediaTypes.ociManifest })).code,
    ).toBe("MANIFEST_INVALID");
    expect(thrownBy(() => parse('{"a":'.repeat(200_000))).code).toBe("MANIFEST_INVALID");
  });

  test("of the largest index are read in no time", () => {
    const manifests = Array.from({ length: 20_000 }, () => child);
    const bytes = Buffer.from(JSON.stringify({ ...index, manifests }));
    expect(parseManifest(bytes).manifests).toHaveLength(20_000);
    expect(bestDuration(() => parseManifest(bytes))).toBeLessThan(500);
  });

  test("with a key twice say what the last one says, as Go reads them", () => {
    const text = JSON.stringify(image).replace('"layers":', '"layers":[],"layers":');
    expect(parse(text).blobs).toEqual([config, layer]);
  });

  test("with __proto__ and constructor change nothing but themselves", () => {
    const text = `{"__proto__":{"manifests":[]},"constructor":{"prototype":{"polluted":1}},${JSON.stringify(image).slice(1)}`;
    const read = parse(text);
    expect(read.manifests).toEqual([]);
    expect(({} as Json)["polluted"]).toBeUndefined();
    const noted = parse(`{"annotations":{"__proto__":"x","a":"b"},${JSON.stringify(image).slice(1)}`);
    expect(Object.entries(noted.descriptor.annotations!)).toEqual([
      ["__proto__", "x"],
      ["a", "b"],
    ]);
    expect(Object.getPrototypeOf(noted.descriptor.annotations)).toBe(Object.prototype);
    const odd = parse({
      ...index,
      manifests: [{ ...child, platform: { os: "__proto__", architecture: "constructor" } }],
    });
    expect(odd.manifests[0]!.platform).toEqual({ os: "__proto__", architecture: "constructor" });
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
