import * as fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { isRegistryError } from "../../src/oci/error.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { manifestAccept, mediaTypes } from "../../src/oci/media-types.ts";
import * as images from "../support/images.ts";

const seeds: readonly Uint8Array[] = [
  images.image("oci"),
  images.image("docker", { docker: true }),
  images.twoPlatforms("index"),
  images.artifact("artifact", images.image("subject").manifest.descriptor, { annotations: { a: "b" } }),
  images.artifactManifest("old", images.image("subject").manifest.descriptor),
].map(({ manifest }) => manifest.bytes);

/** A manifest, or a RegistryError that says what is wrong with the bytes; anything else fails. */
function readOrRefuse(bytes: Uint8Array, mediaType?: string): void {
  const before = digestOf(bytes);
  try {
    const read = parseManifest(bytes, { mediaType });
    expect(read.bytes).toBe(bytes);
    expect(read.descriptor.digest).toBe(before);
    expect(digestOf(read.bytes)).toBe(before);
    expect(read.descriptor.size).toBe(bytes.byteLength);
    expect(manifestAccept.split(", ")).toContain(read.descriptor.mediaType);
    for (const { digest, size } of [...read.manifests, ...read.blobs, ...(read.subject ? [read.subject] : [])]) {
      expect(Number.isSafeInteger(size) && size >= 0 && /^sha(256|512):[0-9a-f]+$/.test(digest)).toBe(true);
    }
  } catch (error) {
    if (!isRegistryError(error, "MANIFEST_INVALID", "UNSUPPORTED")) throw error;
    expect(error.message.length).toBeLessThan(500);
  }
}

const header = fc.constantFrom(
  undefined,
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  "text/html",
);

test("bytes that were changed anywhere are read or refused", () => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    cut: fc.nat(20),
    put: fc.uint8Array({ maxLength: 8 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      header,
      (seed, changes, mediaType) => {
        let bytes: Buffer = Buffer.from(seed);
        for (const { at, cut, put } of changes) {
          const start = Math.floor(at * bytes.byteLength);
          bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
        }
        readOrRefuse(bytes, mediaType);
      },
    ),
    { numRuns: 500 },
  );
});

test("values that were exchanged for others anywhere are read or refused", () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      "",
      -1,
      1e300,
      0.5,
      true,
      [],
      {},
      "__proto__",
      [null],
      { digest: 1 },
      mediaTypes.ociIndex,
      mediaTypes.ociLayer,
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.nat(60), value, header, (seed, at, put, mediaType) => {
      let count = 0;
      const body: unknown = JSON.parse(Buffer.from(seed).toString(), (_, old: unknown) => (count++ === at ? put : old));
      readOrRefuse(Buffer.from(JSON.stringify(body)), mediaType);
    }),
    { numRuns: 500 },
  );
});

test("any JSON is read or refused", () => {
  const fields = [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "blobs",
    "subject",
    "annotations",
    "artifactType",
    "Layers",
  ];
  const body = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 2 }));
  fc.assert(
    fc.property(body, header, (one, mediaType) => {
      readOrRefuse(Buffer.from(JSON.stringify(one)), mediaType);
    }),
    { numRuns: 300 },
  );
});
