import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { buildManifest, manifestBody, parseManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { sha256 } from "./reference-table.ts";
import { bestDuration, thrownBy } from "./hostile.ts";
import { child, config, image, index, layer, parse, type Json } from "./manifest-bodies.ts";

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
      "not UTF-8 text",
    ],
    [
      "half a surrogate",
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      "not UTF-8 text",
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
