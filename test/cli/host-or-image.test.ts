import { expect, test } from "vitest";
import { mayBeImage } from "../../src/cli/host-or-image.ts";
import { parseWish } from "../../src/cli/login-place.ts";

test.each([
  ["redis:7", true],
  ["my_image:22", true],
  ["registry", false],
  ["registry.example", false],
  ["registry.example:5000", false],
  ["localhost:5000", false],
  ["127.0.0.1:5000", false],
  ["[::1]:5000", false],
])("whether %s may be an image: %j", (host, may) => {
  expect(mayBeImage(host)).toBe(may);
});

test("access to an image without a registry, with a number for a tag, is to Docker Hub", () => {
  expect(parseWish("redis:7", false)).toEqual({
    host: "docker.io",
    repository: "library/redis",
    ref: "7",
    push: false,
  });
  expect(() => parseWish("localhost:5000", false)).toThrow("names a registry");
});
