import { describe, expect, test } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import type { Credential, CredentialSource } from "../../src/auth/credential.ts";
import { fixedSource, parseUserPassword } from "../../src/auth/flags.ts";
import { formatScopes, scopesOf } from "../../src/auth/scopes.ts";
import { Secret } from "../../src/auth/secret.ts";
import { contentOf } from "../../src/oci/stream.ts";
import type { Req, Transport } from "../../src/transport/transport.ts";
import { ask, respond, scripted } from "../transport/support.ts";
import { fakeRegistry, registryHost } from "./fake.ts";

const base = `https://${registryHost}`;
const manifest = (repository: string, more: Partial<Req> = {}): Req =>
  ask(`${base}/v2/${repository}/manifests/v1`, more.method ?? "GET", more);
const upload = (repository: string, query = ""): Req => ask(`${base}/v2/${repository}/blobs/uploads/${query}`, "POST");
const body = { size: 1, open: contentOf(Buffer.from("x")) };
const ann = fixedSource("flag", parseUserPassword("ann:s3cret", "--creds"));
const byPath = (request: Req): string => formatScopes(scopesOf(request))[0] ?? "";

/** A clock that is moved by hand. */
function movable(): { now(): number; random(): number; sleep(): Promise<void>; at: number } {
  return {
    at: 0,
    now() {
      return this.at;
    },
    random: () => 0,
    sleep: () => Promise.resolve(),
  };
}

describe("tokens", () => {
  test("the first request learns what is wanted, later ones carry a token at once", async () => {
    const fake = fakeRegistry(byPath);
    const transport = authenticate({ credentials: ann })(fake.transport);
    for (let i = 0; i < 3; i++) expect(await transport(manifest("app"))).toMatchObject({ status: 200 });
    await transport(manifest("other"));
    expect(fake.log).toEqual([
      "GET /v2/app/manifests/v1",
      "token GET repository:app:pull with login",
      "GET /v2/app/manifests/v1 with token",
      "GET /v2/app/manifests/v1 with token",
      "GET /v2/app/manifests/v1 with token",
      "token GET repository:other:pull with login",
      "GET /v2/other/manifests/v1 with token",
    ]);
  });

  test("without credentials they are asked for too", async () => {
    const fake = fakeRegistry(byPath);
    await authenticate()(fake.transport)(manifest("app"));
    expect(fake.log[1]).toBe("token GET repository:app:pull");
  });

  test("one is fetched for all who wait", async () => {
    const fake = fakeRegistry(byPath);
    const transport = authenticate()(fake.transport);
    await transport(manifest("first"));
    await Promise.all(Array.from({ length: 10 }, () => transport(manifest("app"))));
    expect(fake.log.filter((line) => line.startsWith("token"))).toEqual([
      "token GET repository:first:pull",
      "token GET repository:app:pull",
    ]);
  });

  test("one for a request that is to be brief is fetched as briefly", async () => {
    const fake = fakeRegistry(byPath);
    const seen: (boolean | undefined)[] = [];
    const transport = authenticate()((request) => {
      if (request.url.host === "auth.example") seen.push(request.brief);
      return fake.transport(request);
    });
    await transport(manifest("app", { brief: true }));
    await transport(manifest("other"));
    expect(seen).toEqual([true, undefined]);
  });

  test("one for pushing serves pulls", async () => {
    const fake = fakeRegistry(() => "");
    const transport = authenticate()(fake.transport);
    await transport(upload("app"));
    await transport(manifest("app"));
    expect(fake.log.filter((line) => line.startsWith("token"))).toEqual(["token GET repository:app:pull,push"]);
  });

  test("a mount asks for both repositories; where that is refused together, for its own", async () => {
    const mount = upload("app", "?mount=sha256:ab&from=base");
    const fake = fakeRegistry(() => "repository:app:pull,push");
    await authenticate()(fake.transport)(mount);
    expect(fake.log[1]).toBe("token GET repository:app:pull,push repository:base:pull");
    const strict = fakeRegistry(
      () => "repository:app:pull,push",
      ({ scopes }) => ({ status: scopes.length > 1 ? 403 : 200 }),
    );
    const transport = authenticate()(strict.transport);
    expect(await transport(mount)).toMatchObject({ status: 200 });
    await transport(mount);
    expect(strict.log.filter((line) => line.startsWith("token"))).toEqual([
      "token GET repository:app:pull,push repository:base:pull",
      "token GET repository:app:pull,push",
    ]);
  });

  test("one that only itself says when it ends lives as long by the service's clock", async () => {
    const clock = movable();
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = (id: string): string => `${part({ alg: "none" })}.${part({ exp: 4_500 + 600, id })}.`;
    const served: Transport = async ({ url }) =>
      url.host === "auth.example"
        ? respond(200, { date: new Date(600_000).toUTCString() }, JSON.stringify({ access_token: token("x") }))
        : respond(401, { "www-authenticate": 'Bearer realm="https://auth.example/token"' });
    const asked: string[] = [];
    const transport = authenticate({ clock })(async (request) => {
      asked.push(request.url.host);
      return request.headers["authorization"] ? respond(200) : served(request);
    });
    for (const at of [0, 60_000, 4_469_000]) {
      clock.at = at;
      await transport(manifest("app"));
    }
    expect(asked.filter((host) => host === "auth.example")).toHaveLength(1);
    clock.at = 4_471_000;
    await transport(manifest("app"));
    expect(asked.filter((host) => host === "auth.example")).toHaveLength(2);
  });

  test("one is renewed half a minute before it ends, and lives a minute at least", async () => {
    const clock = movable();
    const fake = fakeRegistry(byPath, () => ({ json: { token: `token-${clock.at}`, expires_in: 1 } }));
    const transport = authenticate({ clock })(async (request) => {
      const response = await fake.transport(request);
      return request.url.host === registryHost && request.headers["authorization"] ? respond(200) : response;
    });
    await transport(manifest("app"));
    clock.at = 29_000;
    await transport(manifest("app"));
    clock.at = 31_000;
    await transport(manifest("app"));
    expect(fake.log.filter((line) => line.startsWith("token"))).toHaveLength(2);
  });

  test("one that a service handed out before counts from then, by the service's clock", async () => {
    const clock = movable();
    const headers = { date: "Fri, 31 Dec 1999 12:04:00 GMT" };
    const fake = fakeRegistry(byPath, () => ({
      headers,
      json: { access_token: "old", expires_in: 300, issued_at: "1999-12-31T12:00:00Z" },
    }));
    const transport = authenticate({ clock })(async (request) =>
      request.headers["authorization"] === "Bearer old" ? respond(200) : fake.transport(request),
    );
    await transport(manifest("app"));
    clock.at = 29_000;
    await transport(manifest("app"));
    expect(fake.log.filter((line) => line.startsWith("token"))).toHaveLength(1);
    clock.at = 31_000;
    await transport(manifest("app"));
    expect(fake.log.filter((line) => line.startsWith("token"))).toHaveLength(2);
  });

  test("one that is refused is dropped and fetched again, once", async () => {
    const fake = fakeRegistry(byPath);
    const transport = authenticate()(fake.transport);
    await transport(manifest("app"));
    fake.revoke();
    expect(await transport(manifest("app"))).toMatchObject({ status: 200 });
    expect(fake.log.slice(3)).toEqual([
      "GET /v2/app/manifests/v1 with token",
      "token GET repository:app:pull",
      "GET /v2/app/manifests/v1 with token",
    ]);
    const closed = fakeRegistry(byPath, () => ({ json: { token: "useless" } }));
    expect(await authenticate()(closed.transport)(manifest("app"))).toMatchObject({ status: 401 });
    expect(closed.log).toHaveLength(3);
  });

  test("what a request lacks, by the registry's word, is asked for beside what it needs", async () => {
    const tags = ask(`${base}/v2/app/tags/list`);
    const fake = fakeRegistry((request) =>
      request.url.pathname.endsWith("list") ? "repository:app:metadata_read,pull" : byPath(request),
    );
    const transport = authenticate()(fake.transport);
    await transport(manifest("app"));
    expect(await transport(tags)).toMatchObject({ status: 200 });
    expect(await transport(tags)).toMatchObject({ status: 200 });
    expect(fake.log.filter((line) => line.startsWith("token"))).toEqual([
      "token GET repository:app:pull",
      "token GET repository:app:metadata_read,pull",
    ]);
  });

  test("an upload's location that names no repository gets the token that pushes", async () => {
    const fake = fakeRegistry(() => "");
    const transport = authenticate()(fake.transport);
    await transport(upload("app"));
    await transport(ask(`${base}/uploads/abc`, "PUT", { body }));
    expect(fake.log.at(-1)).toBe("PUT /uploads/abc with token with body");
    expect(fake.log.filter((line) => line.startsWith("token"))).toHaveLength(1);
  });

  test("who waits for one leaves when aborted, and the others get it", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const fake = fakeRegistry(byPath);
    const slow: Transport = async (request) => {
      if (request.url.host === "auth.example") await gate;
      return fake.transport(request);
    };
    const transport = authenticate()(slow);
    const controller = new AbortController();
    const first = transport(manifest("app", { signal: controller.signal }));
    const second = transport(manifest("app"));
    await new Promise((resolve) => void setImmediate(resolve));
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    release();
    expect(await second).toMatchObject({ status: 200 });
  });
});

describe("bodies", () => {
  test("none is sent only to be refused: what is wanted is asked first, once", async () => {
    const fake = fakeRegistry(byPath);
    const transport = authenticate()(fake.transport);
    await Promise.all(["a", "b"].map((name) => transport(manifest(name, { method: "PUT", body }))));
    expect(fake.log.filter((line) => line.endsWith("body"))).toEqual([
      "PUT /v2/a/manifests/v1 with token with body",
      "PUT /v2/b/manifests/v1 with token with body",
    ]);
    expect(fake.log.filter((line) => line === "GET /v2/")).toHaveLength(1);
  });

  test("where anybody may pull and only some push, the body goes again with the token", async () => {
    const fake = fakeRegistry(byPath);
    const transport = authenticate({ credentials: ann })(async (request) =>
      request.url.pathname === "/v2/" ? respond(200) : fake.transport(request),
    );
    let opened = 0;
    const open = async (): ReturnType<typeof body.open> => {
      opened++;
      return body.open();
    };
    expect(await transport(manifest("app", { method: "PUT", body: { size: 1, open } }))).toMatchObject({ status: 200 });
    expect(fake.log[0]).toBe("PUT /v2/app/manifests/v1 with body");
    expect(opened).toBe(0);
  });
});

describe("Basic", () => {
  const basic: Transport = async ({ headers }) =>
    respond(headers["authorization"] === "Basic YW5uOnMzY3JldA==" ? 200 : 401, {
      "www-authenticate": 'Basic realm="x"',
    });

  test("a user and password go to who asks for them, then at once", async () => {
    const net = scripted(respond(401, { "www-authenticate": 'Basic realm="x"' }), respond(200), respond(200));
    const transport = authenticate({ credentials: ann })(net);
    await transport(manifest("app"));
    await transport(manifest("app"));
    expect(net.requests.map(({ headers }) => headers["authorization"])).toEqual([
      undefined,
      "Basic YW5uOnMzY3JldA==",
      "Basic YW5uOnMzY3JldA==",
    ]);
  });

  test("without any, the refusal is the answer", async () => {
    expect(await authenticate()(basic)(manifest("app"))).toMatchObject({ status: 401 });
  });

  test("ones that are refused are looked up again, in case they changed", async () => {
    const passwords = ["old", "s3cret"];
    const credentials: CredentialSource = {
      name: "changing",
      find: () => Promise.resolve(parseUserPassword(`ann:${passwords.shift()}`, "x")),
    };
    const transport = authenticate({ credentials })(basic);
    expect(await transport(manifest("app"))).toMatchObject({ status: 401 });
    expect(await transport(manifest("app"))).toMatchObject({ status: 200 });
  });

  test("of two challenges a Bearer goes first", async () => {
    const both = 'Basic realm="x", Bearer realm="https://auth.example/token"';
    const net = scripted(respond(401, { "www-authenticate": both }), respond(200, {}, '{"token":"t"}'), respond(200));
    await authenticate({ credentials: ann })(net)(manifest("app"));
    expect(net.requests[2]!.headers["authorization"]).toBe("Bearer t");
  });
});

describe("other credentials", () => {
  const identity: Credential = { kind: "identity", token: new Secret("refresh") };

  test("an identity token that has ended by its own word is looked for again", async () => {
    const clock = movable();
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const bought: (string | null | undefined)[] = [];
    const fake = fakeRegistry(byPath, ({ form }) => {
      bought.push(form?.get("refresh_token"));
      return {};
    });
    const refresh = (end: number): string => `${part({ alg: "none" })}.${part({ exp: end / 1000 })}.`;
    const credentials: CredentialSource = {
      name: "x",
      find: async () => ({ kind: "identity", token: new Secret(refresh(clock.at + 3_600_000)) }),
    };
    const transport = authenticate({ credentials, clock })(fake.transport);
    await transport(manifest("app"));
    clock.at = 3_000_000;
    await transport(manifest("app"));
    clock.at = 4_000_000;
    await transport(manifest("app"));
    expect(bought).toEqual([refresh(3_600_000), refresh(3_600_000), refresh(7_600_000)]);
  });

  test("an identity token buys tokens by POST", async () => {
    const forms: (Record<string, string> | undefined)[] = [];
    const fake = fakeRegistry(byPath, ({ form }) => {
      forms.push(form && Object.fromEntries(form));
      return {};
    });
    await authenticate({ credentials: fixedSource("x", identity) })(fake.transport)(manifest("app"));
    expect(forms).toEqual([
      {
        grant_type: "refresh_token",
        refresh_token: "refresh",
        client_id: "gantry",
        service: registryHost,
        scope: "repository:app:pull",
      },
    ]);
  });

  test.each([400, 401, 404, 405])("by GET where the service answers a POST with %i", async (status) => {
    const fake = fakeRegistry(byPath, ({ form }) => ({ status: form ? status : 200 }));
    expect(
      await authenticate({ credentials: fixedSource("x", identity) })(fake.transport)(manifest("app")),
    ).toMatchObject({ status: 200 });
    expect(fake.log.slice(1, 3)).toEqual([
      "token POST repository:app:pull",
      "token GET repository:app:pull with login",
    ]);
  });

  test("a registry token is used as it is", async () => {
    const fake = fakeRegistry(byPath);
    const credentials = fixedSource("x", { kind: "bearer", token: new Secret("ready") });
    const net: Transport = async (request) =>
      request.headers["authorization"] === "Bearer ready" ? respond(200) : fake.transport(request);
    expect(await authenticate({ credentials })(net)(manifest("app"))).toMatchObject({ status: 200 });
    expect(fake.log).toEqual(["GET /v2/app/manifests/v1"]);
  });

  test("one that has run out is looked up again, once for all who notice", async () => {
    const clock = movable();
    let asked = 0;
    const source: CredentialSource = {
      name: "fake",
      async find() {
        asked++;
        return { kind: "bearer", token: new Secret(`token ${asked}`), expires: 1000 * asked };
      },
    };
    const sent: (string | undefined)[] = [];
    const transport = authenticate({ credentials: source, clock })(async (request) => {
      sent.push(request.headers["authorization"]);
      return request.headers["authorization"] === undefined
        ? respond(401, { "www-authenticate": 'Basic realm="fake"' })
        : respond(200);
    });
    await transport(manifest("app"));
    clock.at = 999;
    await transport(manifest("app"));
    clock.at = 1000;
    await Promise.all([transport(manifest("app")), transport(manifest("app"))]);
    expect(sent).toEqual([undefined, ...[1, 1, 2, 2].map((n) => `Bearer token ${n}`)]);
  });

  test("they are looked up by host and repository", async () => {
    const asked: string[] = [];
    const credentials: CredentialSource = {
      name: "x",
      find: async (host, path) => {
        asked.push(`${host} ${path}`);
        return undefined;
      },
    };
    const fake = fakeRegistry(byPath);
    const transport = authenticate({ credentials })(fake.transport);
    await transport(manifest("team/app"));
    await transport(ask(`${base}/v2/_catalog`));
    expect(asked).toEqual(["registry.example team/app", "registry.example "]);
  });
});

describe("what a token service may answer", () => {
  test.each<[string, { status?: number; json?: unknown }, object]>([
    [
      "a refused login",
      { status: 401 },
      {
        code: "UNAUTHORIZED",
        status: 401,
        message: /does not accept the user "ann" or the password/,
        retryable: false,
      },
    ],
    ["too many", { status: 429 }, { code: "TOOMANYREQUESTS", message: /issues no more tokens/, retryable: true }],
    ["a failure", { status: 502 }, { code: "UNAVAILABLE", message: /answered 502/, retryable: true }],
    ["something else", { status: 302 }, { code: "UNAUTHORIZED", message: /answered 302/, retryable: false }],
    ["no token", { json: {} }, { code: "UNAUTHORIZED", message: /sent no token/ }],
    ["a token of another type", { json: { token: 5 } }, { code: "UNAUTHORIZED", message: /sent no token/ }],
    ["a token that breaks headers", { json: { token: "a\r\nb" } }, { code: "UNAUTHORIZED", message: /sent no token/ }],
    ["no object", { json: ["x"] }, { code: "UNAUTHORIZED", message: /sent no token/ }],
    ["far too much", { json: { token: "x".repeat(1_100_000) } }, { code: "TOO_LARGE" }],
  ])("%s", async (_, answer, { message, ...error }: { message?: RegExp }) => {
    const fake = fakeRegistry(byPath, () => answer);
    const sent = authenticate({ credentials: ann })(fake.transport)(manifest("app"));
    await expect(sent).rejects.toMatchObject({
      ...error,
      ...(message && { message: expect.stringMatching(message) as string }),
    });
  });

  test("a service that asks for time is given it, and a page is no token", async () => {
    const busy = fakeRegistry(byPath, () => ({ status: 429, headers: { "retry-after": "7" } }));
    const sent = authenticate({ credentials: ann })(busy.transport)(manifest("app"));
    await expect(sent).rejects.toMatchObject({ code: "TOOMANYREQUESTS", retryable: true, retryAfter: 7000 });
    const portal = fakeRegistry(byPath, () => ({ json: {}, headers: { "content-type": "text/html" } }));
    await expect(authenticate({ credentials: ann })(portal.transport)(manifest("app"))).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining("sent a web page") as string,
    });
  });

  test("after a failure it is asked again", async () => {
    const statuses = [503, 200];
    const fake = fakeRegistry(byPath, () => ({ status: statuses.shift() ?? 200 }));
    const transport = authenticate()(fake.transport);
    await expect(transport(manifest("app"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await transport(manifest("app"))).toMatchObject({ status: 200 });
  });
});

test.each([
  ["anonymous ones", { anonymous: true }],
  ["ones that have an authorization", { headers: { authorization: "Custom x" } }],
])("nothing is added to requests, nor a challenge answered: %s", async (_, more) => {
  const fake = fakeRegistry(byPath);
  expect(await authenticate({ credentials: ann })(fake.transport)(manifest("app", more))).toMatchObject({
    status: 401,
  });
  expect(fake.log).toHaveLength(1);
});

test.each([
  [403, 'Bearer realm="https://auth.example/token",error="insufficient_scope",scope="repository:app:push"', 3],
  [403, 'Bearer realm="https://auth.example/token"', 1],
  [401, "Negotiate", 1],
  [401, 'Bearer realm="http://["', 1],
])("a %i with %s takes %i requests", async (status, challenge, count) => {
  const net = scripted(
    respond(status, { "www-authenticate": challenge }),
    respond(200, {}, '{"token":"t"}'),
    respond(200),
  );
  await authenticate()(net)(manifest("app"));
  expect(net.requests).toHaveLength(count);
});

describe("a registry whose Basic logins expire", () => {
  const challenge = { "www-authenticate": 'Basic realm="https://registry.example/"' };
  const old =
    '{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}';
  const denied = '{"errors":[{"code":"DENIED","message":"not for you"}]}';

  function renewing(...passwords: readonly string[]): CredentialSource & { asked: number } {
    return {
      name: "cloud",
      asked: 0,
      async find() {
        const password = passwords[Math.min(this.asked++, passwords.length - 1)]!;
        return { kind: "basic", username: "AWS", password: new Secret(password) };
      },
    };
  }

  test.each([
    ["GET", old],
    ["HEAD", ""],
  ] as const)("a %s that is told so is sent again with a new login", async (method, text) => {
    const source = renewing("old", "new");
    const net = scripted(respond(401, challenge), respond(200), respond(403, {}, text), respond(200));
    const transport = authenticate({ credentials: source })(net);
    await transport(manifest("app"));
    expect(await transport(manifest("app", { method }))).toMatchObject({ status: 200 });
    expect(net.requests.map(({ headers }) => headers["authorization"])).toEqual([
      undefined,
      `Basic ${btoa("AWS:old")}`,
      `Basic ${btoa("AWS:old")}`,
      `Basic ${btoa("AWS:new")}`,
    ]);
  });

  test.each([
    ["there is no newer login", old, 2],
    ["it forbids something else", denied, 1],
  ])("the refusal comes back whole where %s", async (_, text, asked) => {
    const source = renewing("old");
    const net = scripted(respond(401, challenge), respond(200), respond(403, {}, text));
    const transport = authenticate({ credentials: source })(net);
    await transport(manifest("app"));
    const { status, body } = await transport(manifest("app"));
    expect(status).toBe(403);
    expect(Buffer.concat(await Array.fromAsync(body)).toString()).toBe(text);
    expect(source.asked).toBe(asked);
  });

  test("of a long answer the start is looked at, and all of it comes", async () => {
    const long = "x".repeat(100_000);
    const net = scripted(respond(401, challenge), respond(200), respond(403, {}, long));
    const transport = authenticate({ credentials: renewing("old") })(net);
    await transport(manifest("app"));
    const { body } = await transport(manifest("app"));
    expect(Buffer.concat(await Array.fromAsync(body)).toString()).toBe(long);
  });
});
