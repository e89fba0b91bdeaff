import { expect, test } from "vitest";
import { locate } from "../../../src/store/remote/location.ts";
import { expectCode } from "../../contract/store.ts";

const from = "https://registry.example/v2/app/blobs/uploads/";

test.each([
  ["relative to the path", from, "abc?x=1", `${from}abc?x=1`, false],
  ["relative to the host", from, "/v2/app/blobs/uploads/abc", `${from}abc`, false],
  ["in full", from, `${from}abc?_state=a%2Fb~`, `${from}abc?_state=a%2Fb~`, false],
  ["with the scheme before the proxy", from, "http://registry.example/v2/x", "https://registry.example/v2/x", false],
  ["with our port and their scheme", from, "http://registry.example:443/v2/x", "https://registry.example/v2/x", false],
  ["with a name and password", from, "https://u:p@registry.example/v2/x", "https://registry.example/v2/x", false],
  ["on another host", from, "https://blobs.example/x", "https://blobs.example/x", true],
  ["on another port", from, "https://registry.example:8443/x", "https://registry.example:8443/x", true],
  [
    "of a registry on this machine",
    "https://127.0.0.1:5000/v2/",
    "http://127.0.0.1:5000/x",
    "https://127.0.0.1:5000/x",
    false,
  ],
] as const)("a location %s", (_, base, text, url, anonymous) => {
  const at = { origin: new URL(new URL(base).origin), registry: "registry.example" };
  expect(locate(at, new URL(base), text)).toEqual({ url: new URL(url), anonymous });
});

test.each([
  ["that is none", "https://["],
  ["of another kind", "file:///etc/passwd"],
  ["without TLS", "http://blobs.example/x"],
  ["in a private network", "https://169.254.169.254/latest"],
])("a location %s is not followed", async (_, text) => {
  const at = { origin: new URL("https://registry.example"), registry: "registry.example" };
  await expectCode("NETWORK", async () => locate(at, new URL(from), text));
});

test("a host declared insecure may lead anywhere", () => {
  const at = {
    origin: new URL("https://registry.example"),
    registry: "registry.example",
    isInsecure: (host: string) => host === "registry.example",
  };
  expect(locate(at, new URL(from), "http://10.0.0.7:9000/x").url.href).toBe("http://10.0.0.7:9000/x");
});
