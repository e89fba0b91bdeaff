import { expect, test } from "vitest";
import { hostOf } from "../../src/cli/host-or-image.ts";

test.each([
  ["registry.example", "registry.example"],
  ["Registry.Example:5000", "registry.example:5000"],
  ["localhost", "localhost"],
  ["localhost:5000/", "localhost:5000"],
  ["docker://registry.example", "registry.example"],
  ["registry:5000", "registry:5000"],
  ["[::1]:5000", "[::1]:5000"],
  ["[::1]", "[::1]"],
  ["alpine", undefined],
  ["registry.example/app", undefined],
  ["registry.example/team/", undefined],
  ["alpine:latest", undefined],
  ["alpine@sha256:0", undefined],
  ["oci:5000", undefined],
  ["oci:images:1.0", undefined],
  ["dir:images.d", undefined],
  ["", undefined],
])("the host of %j is %j", (place, host) => {
  expect(hostOf(place)).toBe(host);
});
