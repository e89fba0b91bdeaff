import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { userPassword, type Credential } from "../../src/auth/credential.ts";
import { Secret } from "../../src/auth/secret.ts";
import { validateCredential, type Validation } from "../../src/auth/validate.ts";
import type { Req, Res, Transport } from "../../src/transport/transport.ts";
import { respond } from "../transport/support.ts";

const host = "registry.example";
const ann: Credential = { ...userPassword("ann", "topsecret"), origin: "a file" };
const identity: Credential = { kind: "identity", token: new Secret("topsecret-id") };
const bearer: Credential = { kind: "bearer", token: new Secret("topsecret-rt") };
const tokenChallenge = respond(401, { "www-authenticate": 'Bearer realm="https://auth.example/token",service="s"' });
const basicChallenge = respond(401, { "www-authenticate": 'Basic realm="x"' });
const annHeader = `Basic ${btoa("ann:topsecret")}`;

/** A registry with Basic authentication, or with tokens, that knows ann and the tokens above. */
function registry(kind: "basic" | "bearer" | "open"): {
  readonly transport: Transport;
  readonly requests: readonly Req[];
} {
  const requests: Req[] = [];
  const service = async (request: Req): Promise<Res> => {
    const form = request.body && (await new Response((await request.body.open()) as never).text());
    const known = request.headers["authorization"] === annHeader || form?.includes("refresh_token=topsecret-id");
    const offline = request.url.searchParams.has("offline_token") && { refresh_token: "issued-id" };
    return known ? respond(200, {}, JSON.stringify({ token: "good", ...offline })) : respond(401);
  };
  const transport: Transport = async (request) => {
    requests.push(request);
    if (request.url.host === "auth.example") return service(request);
    const { authorization = "" } = request.headers;
    if (kind === "open" || ["Bearer good", "Bearer topsecret-rt"].includes(authorization)) return respond(200);
    if (kind === "bearer") return tokenChallenge;
    return authorization === annHeader ? respond(200) : basicChallenge;
  };
  return { transport, requests };
}

const outcome = async (
  kind: "basic" | "bearer" | "open",
  credential: Credential,
  offline = false,
): Promise<Validation> => validateCredential(registry(kind), host, credential, { offline });

describe("a credential that is right", () => {
  test.each<["basic" | "bearer" | "open", Credential, Validation["scheme"]]>([
    ["basic", ann, "basic"],
    ["bearer", ann, "bearer"],
    ["bearer", identity, "bearer"],
    ["bearer", bearer, "bearer"],
    ["basic", bearer, "basic"],
    ["open", ann, "none"],
  ])("(%s)", async (kind, credential, scheme) => {
    expect(await outcome(kind, credential)).toEqual({ scheme });
  });

  test("buys an identity token where one is wanted", async () => {
    const { identity } = await outcome("bearer", ann, true);
    expect(identity?.reveal()).toBe("issued-id");
    expect(await outcome("basic", ann, true)).toEqual({ scheme: "basic" });
  });

  test("is shown by version checks and a token request, and by nothing else", async () => {
    const { transport, requests } = registry("bearer");
    await validateCredential({ transport }, host, ann);
    expect(requests.map(({ method, url, anonymous }) => [method, url.host + url.pathname, anonymous])).toEqual([
      ["GET", "registry.example/v2/", true],
      ["GET", "auth.example/token", true],
      ["GET", "registry.example/v2/", true],
    ]);
  });
});

describe("one that is not", () => {
  test.each<["basic" | "bearer", Credential, RegExp]>([
    ["basic", userPassword("ann", "wrong-topsecret"), /does not accept the user "ann" or the password/],
    ["bearer", userPassword("ann", "wrong-topsecret"), /does not accept the user "ann" or the password/],
    ["bearer", { kind: "identity", token: new Secret("wrong-topsecret") }, /does not accept the identity token/],
    ["bearer", { kind: "bearer", token: new Secret("wrong-topsecret") }, /does not accept the token/],
    ["basic", identity, /wants a user and password, not an identity token/],
  ])("(%s) is refused, and not repeated", async (kind, credential, message) => {
    const error = await outcome(kind, credential).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAUTHORIZED", host, message: expect.stringMatching(message) });
    expect(inspect(error, { depth: 9 })).not.toContain("topsecret");
  });

  test("is named by where it was found", async () => {
    const wrong: Credential = { ...userPassword("ann", "x"), origin: "a file" };
    await expect(outcome("basic", wrong)).rejects.toMatchObject({ credential: "a file" });
    await expect(outcome("bearer", wrong)).rejects.toMatchObject({ credential: "a file" });
  });
});

test.each([
  [404, "UNSUPPORTED", false],
  [302, "UNSUPPORTED", false],
  [429, "TOOMANYREQUESTS", true],
  [503, "UNAVAILABLE", true],
])("what answers %i to the version check says nothing about a login", async (status, code, retryable) => {
  const transport: Transport = async () => respond(status);
  await expect(validateCredential({ transport }, host, ann)).rejects.toMatchObject({ code, status, retryable });
});

test.each([
  ["an unencrypted realm", 'Bearer realm="http://auth.example/token"'],
  ["a realm in a private network", 'Bearer realm="https://169.254.169.254/token"'],
  ["a realm that is no web address", 'Bearer realm="file:///etc/passwd"'],
])("nothing goes to %s", async (_, challenge) => {
  const requests: Req[] = [];
  const transport: Transport = async (request) => {
    requests.push(request);
    return respond(401, { "www-authenticate": challenge });
  };
  await expect(validateCredential({ transport }, host, ann)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(requests).toHaveLength(1);
});
