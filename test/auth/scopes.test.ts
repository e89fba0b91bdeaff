import { expect, test } from "vitest";
import {
  covers,
  formatScopes,
  keyOf,
  parseScopes,
  repositoryOf,
  scopesOf,
  subjectOf,
  union,
} from "../../src/auth/scopes.ts";
import type { Method } from "../../src/transport/transport.ts";

test.each<[Method, string, readonly string[]]>([
  ["GET", "/v2/", []],
  ["GET", "/v2/_catalog?n=10", ["registry:catalog:*"]],
  ["GET", "/v2/app/manifests/latest", ["repository:app:pull"]],
  ["HEAD", "/v2/a/b/c/blobs/sha256:ab", ["repository:a/b/c:pull"]],
  ["GET", "/v2/app/tags/list?n=2", ["repository:app:pull"]],
  ["GET", "/v2/app/referrers/sha256:ab", ["repository:app:pull"]],
  ["PUT", "/v2/app/manifests/latest", ["repository:app:pull,push"]],
  ["POST", "/v2/app/blobs/uploads/", ["repository:app:pull,push"]],
  [
    "POST",
    "/v2/app/blobs/uploads/?mount=sha256:ab&from=base/image",
    ["repository:app:pull,push", "repository:base/image:pull"],
  ],
  ["POST", "/v2/app/blobs/uploads/?mount=sha256:ab&from=app", ["repository:app:pull,push"]],
  ["POST", "/v2/app/blobs/uploads/?mount=sha256:ab", ["repository:app:pull,push"]],
  ["PATCH", "/v2/app/blobs/uploads/some/long/id?_state=x", ["repository:app:pull,push"]],
  ["GET", "/v2/app/blobs/uploads/id", ["repository:app:pull,push"]],
  ["DELETE", "/v2/app/blobs/uploads/id", ["repository:app:pull,push"]],
  ["DELETE", "/v2/app/manifests/sha256:ab", ["repository:app:delete"]],
  ["DELETE", "/v2/app/blobs/sha256:ab", ["repository:app:delete"]],
  ["GET", "/v2/tags/manifests/latest", ["repository:tags:pull"]],
  ["GET", "/v2/a/blobs/b/manifests/latest", ["repository:a/blobs/b:pull"]],
  ["GET", "/cache/v2/app/manifests/latest", ["repository:app:pull"]],
  ["GET", "/v2/a/v2/b/manifests/latest", ["repository:a/v2/b:pull"]],
  ["PUT", "/artifacts-uploads/abc", []],
])("%s %s needs %j", (method, path, scopes) => {
  expect(formatScopes(scopesOf({ method, url: new URL(path, "https://registry.example") }))).toEqual(scopes);
});

test("a request to another API says itself what it needs, and what it is about", () => {
  const url = new URL("https://registry.example/acr/v1/team/app");
  const scopes = "repository:team/app:metadata_read,delete";
  expect(formatScopes(scopesOf({ method: "GET", url, scopes }))).toEqual(["repository:team/app:delete,metadata_read"]);
  expect(subjectOf({ url, scopes })).toBe("team/app");
  expect(subjectOf({ url, scopes: "registry:catalog:*" })).toBe("");
  expect(subjectOf({ url })).toBe("");
  expect(subjectOf({ url: new URL("https://registry.example/v2/app/tags/list") })).toBe("app");
});

test("the repository of a request is what credentials are looked up for", () => {
  expect(repositoryOf(new URL("https://registry.example/v2/a/b/tags/list"))).toBe("a/b");
  expect(repositoryOf(new URL("https://registry.example/v2/"))).toBe("");
});

test.each([
  [undefined, []],
  ["", []],
  ["repository:a:pull", ["repository:a:pull"]],
  ["repository:a:push,pull repository:b:pull", ["repository:a:pull,push", "repository:b:pull"]],
  ["repository:a:pull repository:a:push", ["repository:a:pull,push"]],
  ["repository:host.example:5000/a:pull", ["repository:host.example:5000/a:pull"]],
  ["nonsense :x y: repository:a:, repository:b:,pull,", ["repository:b:pull"]],
])("a challenge's scope %j is %j", (text, scopes) => {
  expect(formatScopes(parseScopes(text))).toEqual(scopes);
});

test.each([
  ["repository:a:pull,push", "repository:a:pull", true],
  ["repository:a:pull,push repository:b:pull", "repository:a:pull", true],
  ["repository:a:*", "repository:a:delete", true],
  ["repository:a:pull", "repository:a:pull,push", false],
  ["repository:a:pull", "repository:b:pull", false],
  ["repository:a:pull", "repository:a:pull repository:b:pull", false],
])("who has %s may do %s: %s", (granted, wanted, expected) => {
  expect(covers(parseScopes(granted), parseScopes(wanted))).toBe(expected);
});

test("equal scopes have one key, and a union has what is in either", () => {
  expect(keyOf(parseScopes("repository:b:pull repository:a:push,pull"))).toBe(
    keyOf(parseScopes("repository:a:pull,push repository:b:pull")),
  );
  expect(
    formatScopes(union(parseScopes("repository:a:pull"), parseScopes("repository:a:push registry:catalog:*"))),
  ).toEqual(["repository:a:pull,push", "registry:catalog:*"]);
});
