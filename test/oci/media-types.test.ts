import { expect, test } from "vitest";
import {
  bareMediaType,
  isForeignLayer,
  isImageManifestType,
  isIndexType,
  isManifestType,
  isSchema1,
  manifestAccept,
  mediaTypes,
} from "../../src/oci/media-types.ts";

test.each([
  ["application/vnd.oci.image.index.v1+json", "index"],
  ["application/vnd.docker.distribution.manifest.list.v2+json", "index"],
  ["application/vnd.oci.image.manifest.v1+json", "image"],
  ["application/vnd.docker.distribution.manifest.v2+json", "image"],
  ["application/vnd.oci.artifact.manifest.v1+json", "artifact"],
  ["application/vnd.docker.distribution.manifest.v1+json", "schema1"],
  ["application/vnd.docker.distribution.manifest.v1+prettyjws", "schema1"],
  ["application/vnd.oci.image.config.v1+json", "blob"],
  ["application/vnd.oci.image.layer.v1.tar+gzip", "blob"],
  ["application/vnd.oci.image.index.v1+JSON", "blob"],
  ["application/json", "blob"],
  ["", "blob"],
  ["constructor", "blob"],
])("%j is of kind %s", (type, kind) => {
  expect(isIndexType(type)).toBe(kind === "index");
  expect(isImageManifestType(type)).toBe(kind === "image");
  expect(isSchema1(type)).toBe(kind === "schema1");
  expect(isManifestType(type)).toBe(kind !== "blob");
});

test("all manifest types but schema 1 are asked for, indexes first", () => {
  const asked = manifestAccept.split(", ");
  expect(asked).toHaveLength(5);
  expect(asked.every((type) => isManifestType(type) && !isSchema1(type))).toBe(true);
  expect(asked[0]).toBe(mediaTypes.ociIndex);
});

test.each([
  ["application/vnd.oci.image.layer.nondistributable.v1.tar", true],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", true],
  ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", false],
  ["application/vnd.oci.image.layer.v1.tar+gzip", false],
])("isForeignLayer(%j) is %j", (type, answer) => expect(isForeignLayer(type)).toBe(answer));

test.each([
  [undefined, ""],
  ["", ""],
  [";", ""],
  ["application/json", "application/json"],
  [" Application/JSON ; charset=utf-8", "application/json"],
])("bareMediaType(%j) is %j", (header, bare) => expect(bareMediaType(header)).toBe(bare));
