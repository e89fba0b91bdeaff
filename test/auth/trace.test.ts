import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { userPassword, type CredentialSource } from "../../src/auth/credential.ts";
import { fixedSource } from "../../src/auth/flags.ts";
import { formatScopes, scopesOf } from "../../src/auth/scopes.ts";
import { traceAccess } from "../../src/auth/trace-access.ts";
import { traceCredentials } from "../../src/auth/trace.ts";
import { RegistryError } from "../../src/oci/error.ts";
import type { Req, Transport } from "../../src/transport/transport.ts";
import { respond } from "../transport/support.ts";
import { fakeRegistry, registryHost } from "./fake.ts";

const ann = fixedSource("a file", { ...userPassword("ann", "topsecret"), origin: "a file: a key" });
const none = fixedSource("empty", userPassword("bob", "x"), "other.example");
const broken: CredentialSource = {
  name: "broken",
  find: () => Promise.reject(new RegistryError("INVALID", "broken is not valid JSON")),
};
const jwt = (claims: unknown): string =>
  ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "c2ln"].join(".");

describe("sources are asked in order", () => {
  test("until one has it", async () => {
    const { sources, credential } = await traceCredentials([none, ann, broken], registryHost, "app");
    expect(sources.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["empty", "nothing"],
      ["a file", "used"],
      ["broken", "not asked"],
    ]);
    expect(credential).toMatchObject({ username: "ann" });
  });

  test("or one fails, as a pull would", async () => {
    const { sources, credential } = await traceCredentials([broken, ann], registryHost, "app");
    expect(sources).toMatchObject([{ outcome: "failed", error: { code: "INVALID" } }, { outcome: "not asked" }]);
    expect(credential).toBeUndefined();
  });

  test("or none has", async () => {
    expect(await traceCredentials([none], registryHost, "")).toEqual({
      sources: [{ name: "empty", outcome: "nothing" }],
    });
  });

  test("an interruption is no outcome", async () => {
    const stopped: CredentialSource = { name: "x", find: () => Promise.reject(new RegistryError("ABORTED", "stop")) };
    await expect(traceCredentials([stopped], registryHost, "")).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("access", () => {
  const wish = { host: registryHost, repository: "app", ref: "v1" };
  const byRequest = (request: Req): string => formatScopes(scopesOf(request))[0] ?? "";

  test("to pull: one HEAD, a token, and the HEAD again", async () => {
    const fake = fakeRegistry(byRequest, () => ({
      json: { token: "topsecret-token", expires_in: 300, scope: "repository:app:pull" },
    }));
    const transport: Transport = (request) =>
      request.headers["authorization"] === "Bearer topsecret-token"
        ? Promise.resolve(respond(404))
        : fake.transport(request);
    const trace = await traceAccess({ transport, credentials: [ann] }, wish);
    expect(trace).toMatchObject({
      challenge: { scheme: "bearer", realm: "https://auth.example/token", service: registryHost },
      asked: ["repository:app:pull"],
      granted: ["repository:app:pull"],
      status: 404,
    });
    expect(trace.refused).toBeUndefined();
    expect(trace.authorization?.reveal()).toBe("Bearer topsecret-token");
    expect(trace.expiresAt! - Date.now()).toBeGreaterThan(200_000);
    expect(fake.log).toEqual(["HEAD /v2/app/manifests/v1", "token GET repository:app:pull with login"]);
    expect(inspect(trace, { depth: 9 })).not.toContain("topsecret");
  });

  test("to push: the version check, and a token for more", async () => {
    const fake = fakeRegistry(
      () => "",
      () => ({ json: { token: jwt({ access: [{ type: "repository", name: "app", actions: ["pull"] }] }) } }),
    );
    const transport: Transport = (request) =>
      request.headers["authorization"]?.startsWith("Bearer ") ? Promise.resolve(respond(200)) : fake.transport(request);
    const trace = await traceAccess({ transport, credentials: [ann] }, { ...wish, push: true });
    expect(fake.log).toEqual(["GET /v2/", "token GET repository:app:pull,push with login"]);
    expect(trace).toMatchObject({
      asked: ["repository:app:pull,push"],
      granted: ["repository:app:pull"],
      status: 200,
      refused: { code: "DENIED" },
    });
  });

  test("without a login where none is needed", async () => {
    const trace = await traceAccess({ transport: async () => respond(200), credentials: [none] }, wish);
    expect(trace).toEqual({ credentials: { sources: [{ name: "empty", outcome: "nothing" }] }, status: 200 });
  });

  test("that is refused says so, and whose login it was", async () => {
    const basic: Transport = async () => respond(401, { "www-authenticate": 'Basic realm="x"' });
    expect(await traceAccess({ transport: basic, credentials: [ann] }, wish)).toMatchObject({
      challenge: { scheme: "basic" },
      status: 401,
      refused: { code: "UNAUTHORIZED", credential: "a file: a key" },
    });
    expect(await traceAccess({ transport: basic, credentials: [] }, wish)).toMatchObject({
      refused: { code: "UNAUTHORIZED", message: expect.stringMatching(/not logged in/) },
    });
  });

  test("asks nothing where a source is broken: the command would not either", async () => {
    const transport: Transport = () => Promise.reject(new Error("asked"));
    expect(await traceAccess({ transport, credentials: [broken] }, wish)).toMatchObject({
      refused: { code: "INVALID" },
    });
  });
});
