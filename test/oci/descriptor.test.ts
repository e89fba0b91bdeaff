import { describe, expect, test } from "vitest";
import { parseAnnotations, parseDescriptor, parseDescriptors } from "../../src/oci/descriptor.ts";
import { thrownBy } from "./hostile.ts";
import { hex, sha256, sha512 } from "./reference-table.ts";

const good = { mediaType: "text/plain", digest: sha256, size: 5 };

describe("parseDescriptor", () => {
  test("takes what image-spec names, and leaves the rest", () => {
    const full = {
      ...good,
      platform: {
        os: "windows",
        architecture: "amd64",
        "os.version": "10.0.1",
        "os.features": ["win32k"],
        variant: "v2",
      },
      artifactType: "text/x",
      annotations: { a: "b", "": "" },
      urls: ["https://host.example/layer"],
      data: "aGVsbG8=",
    };
    expect(parseDescriptor({ ...full, extra: true }, "x")).toEqual(full);
    expect(parseDescriptor({ ...good, digest: sha512 }, "x")).toEqual({ ...good, digest: sha512 });
  });

  test.for<readonly [what: string, size: unknown]>([
    ["nothing", 0],
    ["a terabyte", 2 ** 40],
    ["as much as can be counted", Number.MAX_SAFE_INTEGER],
  ])("may have a size of %s", ([, size]) => {
    expect(parseDescriptor({ ...good, size }, "x").size).toBe(size);
  });

  test.for<readonly [field: string, value: unknown]>([
    ["size", -1],
    ["size", 1.5],
    ["size", 1e300],
    ["size", Number.MAX_SAFE_INTEGER + 1],
    ["size", "5"],
    ["size", null],
    ["size", undefined],
    ["size", true],
    ["size", [5]],
    ["digest", undefined],
    ["digest", ""],
    ["digest", hex],
    ["digest", `sha256:${hex.toUpperCase()}`],
    ["digest", `sha256:${hex}/../..`],
    ["digest", `sha1:${hex.slice(24)}`],
    ["digest", [sha256]],
    ["digest", { toString: "x" }],
    ["mediaType", undefined],
    ["mediaType", ""],
    ["mediaType", null],
    ["mediaType", 1],
    ["annotations", { a: 1 }],
    ["annotations", { a: null }],
    ["annotations", { a: ["b"] }],
    ["annotations", ["a"]],
    ["annotations", "a"],
  ])("refuses %s %j, and says where", ([field, value]) => {
    const error = thrownBy(() => parseDescriptor({ ...good, [field]: value }, "layers[3]"));
    expect(error.code).toBe("MANIFEST_INVALID");
    expect(error.message).toContain(`layers[3].${field}`);
  });

  test.each([null, undefined, 5, "text", [good], []])("refuses %j", (value) => {
    expect(thrownBy(() => parseDescriptor(value, "config")).message).toBe("invalid manifest: config is not an object");
  });

  test.for<readonly [what: string, extra: object]>([
    ["a platform of null", { platform: null }],
    ["a platform of text", { platform: "linux/amd64" }],
    ["a platform of nothing", { platform: {} }],
    ["a platform without a system", { platform: { architecture: "amd64" } }],
    ["a platform of numbers", { platform: { os: 1, architecture: 2 } }],
    ["annotations of null", { annotations: null }],
    ["urls of null", { urls: null }],
    ["urls of text", { urls: "https://host.example" }],
    ["data of null", { data: null }],
    ["an artifactType of null", { artifactType: null }],
  ])("goes on without %s", ([, extra]) => {
    expect(parseDescriptor({ ...good, ...extra }, "x")).toEqual(good);
  });

  test("keeps what is right in lists of which the rest is not", () => {
    const read = parseDescriptor(
      {
        ...good,
        urls: ["a", 1, null],
        platform: { os: "linux", architecture: "arm", variant: 7, "os.features": ["x", 1] },
      },
      "x",
    );
    expect(read).toEqual({
      ...good,
      urls: ["a"],
      platform: { os: "linux", architecture: "arm", "os.features": ["x"] },
    });
  });
});

test("parseDescriptors takes an absent list for an empty one, and names the item that is wrong", () => {
  expect(parseDescriptors(undefined, "layers")).toEqual([]);
  expect(parseDescriptors(null, "layers")).toEqual([]);
  expect(parseDescriptors([good, good], "layers")).toEqual([good, good]);
  expect(thrownBy(() => parseDescriptors({}, "layers")).message).toBe("invalid manifest: layers is not a list");
  expect(thrownBy(() => parseDescriptors([good, null], "layers")).message).toBe(
    "invalid manifest: layers[1] is not an object",
  );
});

test("parseAnnotations takes texts by name, or none", () => {
  expect(parseAnnotations({ a: "b" }, "annotations")).toEqual({ a: "b" });
  expect(parseAnnotations({}, "annotations")).toEqual({});
  expect(parseAnnotations(null, "annotations")).toBeUndefined();
  expect(thrownBy(() => parseAnnotations({ 'a"b': 1 }, "annotations")).message).toBe(
    'invalid manifest: annotations["a\\"b"] is not a text',
  );
});
