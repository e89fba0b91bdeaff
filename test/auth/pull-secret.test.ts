import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findPullSecret } from "../../src/auth/pull-secret.ts";
import { apiHost } from "../../src/oci/reference.ts";
import { base64 } from "../contract/credentials.ts";

function find(keys: readonly string[], host: string, path = ""): string | undefined {
  const auths = new Map(keys.map((key) => [key, { auth: base64(`ann:${key}`) }]));
  const found = findPullSecret(auths, host, path, "it");
  return found?.kind === "basic" ? found.password.reveal() : undefined;
}

describe("a pull secret's key", () => {
  // The examples of Kubernetes' page on images, and the table of kubelet's own tests in its shape.
  test.each<[string, string, string, boolean]>([
    ["my-registry.example/images", "my-registry.example", "images", true],
    ["my-registry.example/images", "my-registry.example", "images/my-image", true],
    ["my-registry.example/images", "my-registry.example", "another-image", false],
    ["*.my-registry.example/images", "sub.my-registry.example", "images/my-image", true],
    ["*.my-registry.example/images", "my-registry.example", "images/my-image", false],
    ["*.my-registry.example/images", "a.sub.my-registry.example", "images/my-image", false],
    ["*.registry.example:8080", "sub.registry.example:8080", "app", true],
    ["*.registry.example:8080", "sub.registry.example", "app", false],
    ["*.registry.example", "sub.registry.example:8080", "app", false],
    ["*.*.example", "sub.registry.example", "app", true],
    ["prefix-*.example", "prefix-a.example", "app", true],
    ["prefix-*.example", "prefi-a.example", "app", false],
    ["*-a-*-b.example", "x-a-a-b-b.example", "app", true],
    ["r?.example", "r1.example", "app", true],
    ["r?.example", "r.example", "app", false],
    ["r[0-9].example", "r7.example", "app", true],
    ["r[^0-9].example", "r7.example", "app", false],
    ["r[.example", "r.example", "app", false],
    ["*", "registry.example", "app", false],
    ["*", "localhost", "app", true],
    ["https://registry.example/v1/", "registry.example", "app", true],
    ["http://registry.example/v2/", "registry.example", "app", true],
    ["https://registry.example/v2/team", "registry.example", "team/app", true],
    ["REGISTRY.example", "registry.example", "app", true],
    ["registry.example/te", "registry.example", "team/app", true],
    ["registry.example", "registry.example.evil.test", "app", false],
    ["*.example", "evil.test", "app", false],
    ["https://index.docker.io/v1/", apiHost("docker.io"), "library/alpine", true],
    ["docker.io/acme", apiHost("docker.io"), "library/alpine", false],
  ])("%s for %s/%s: %s", (key, host, path, fits) => {
    expect(find([key], host, path)).toBe(fits ? key : undefined);
  });

  test("of several the more special wins", () => {
    const keys = ["*.example", "r.example", "r.example/team", "r.example/team/app"];
    expect(find(keys, "r.example", "team/app")).toBe("r.example/team/app");
    expect(find(keys, "r.example", "team/other")).toBe("r.example/team");
    expect(find(keys, "r.example", "other")).toBe("r.example");
    expect(find(keys, "s.example", "other")).toBe("*.example");
  });

  test("with many stars takes no long time", () => {
    expect(find([`${"*a".repeat(30)}b.example`], `${"a".repeat(63)}.example`)).toBeUndefined();
  });

  test("without a pattern matches its host and no other", () => {
    const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
    const host = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
    fc.assert(
      fc.property(host, host, (one, other) => {
        expect(find([one], one)).toBe(one);
        expect(find([one], other)).toBe(one === other ? one : undefined);
      }),
    );
  });
});
