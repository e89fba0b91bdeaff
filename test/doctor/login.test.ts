import { expect, test } from "vitest";
import type { CredentialSource } from "../../src/auth/credential.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { Secret } from "../../src/auth/secret.ts";
import { challenge, healthy, of, patient, wrongIn, type Said, type Script } from "./support.ts";

const second = 1000;

/** A JSON Web Token with these claims. */
function jwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.c2lnbmF0dXJl`;
}

/** A registry whose token service says this. */
const issuing = (claims: Readonly<Record<string, unknown>>): Script =>
  healthy((_, path) =>
    path.startsWith("/token") ? { status: 200, body: JSON.stringify({ token: jwt(claims) }) } : undefined,
  );
const access = (...actions: readonly string[]): object[] => [{ type: "repository", name: "app", actions }];
const challenging = (header: string): Script =>
  healthy((_, path, { headers }) =>
    path === "/v2/" && headers.authorization === undefined
      ? { status: 401, headers: { "www-authenticate": header } }
      : undefined,
  );

test("the login is named, with where it comes from, and never shown", async () => {
  const { diagnose, log } = await patient(issuing({ sub: "ann", access: access("pull", "push") }), {
    login: "ann:s3cret",
  });
  const told = await diagnose();
  expect(wrongIn(told)).toEqual([]);
  expect(of(told, "credential")[0]!.message).toBe('the user "ann", from the test');
  expect(of(told, "login")[0]!.message).toMatch(
    /^a token of auth\.example grants repository:app:pull, good for \d+ s$/,
  );
  expect(of(told, "push")).toMatchObject([{ verdict: "fine", message: "granted by the token" }]);
  expect(JSON.stringify(told)).not.toMatch(/s3cret|c2lnbmF0dXJl/);
  expect(JSON.stringify(told)).not.toContain(btoa("ann:s3cret"));
  expect(
    log.filter((line) => !/^(GET|HEAD) /.test(line)),
    "nothing is written",
  ).toEqual([]);
  expect(log[0], "/v2/ is asked without a login").toBe("GET /v2/");
});

test("a password that the other end sends back is not told", async () => {
  const echo: Said = { status: 401, body: JSON.stringify({ details: `no s3cret or ${btoa("ann:s3cret")}` }) };
  const { diagnose } = await patient(
    healthy((_, path) => (path.startsWith("/token") ? echo : undefined)),
    { login: "ann:s3cret" },
  );
  const told = await diagnose();
  expect(wrongIn(told)).toMatchObject([
    { check: "login", code: "UNAUTHORIZED", message: expect.stringContaining("[secret]") as string },
  ]);
  expect(JSON.stringify(told)).not.toContain("s3cret");
  expect(JSON.stringify(told)).not.toContain(btoa("ann:s3cret"));
});

test.each<[string, string, RegExp, boolean]>([
  ["plain HTTP", 'Bearer realm="http://auth.example/token"', /not encrypted/, true],
  ["an address of a private network", 'Bearer realm="https://10.0.0.1/token"', /private network/, true],
  ["no web address", 'Bearer realm="ftp://auth.example/token"', /no web address/, true],
])("a realm that is %s gets no login", async (_, header, message, withLogin) => {
  const { diagnose, log } = await patient(challenging(header), withLogin ? { login: "ann:s3cret" } : {});
  const told = await diagnose();
  expect(wrongIn(told)).toMatchObject([{ check: "login", verdict: "fault", code: "UNAUTHORIZED" }]);
  expect(wrongIn(told)[0]!.message).toMatch(message);
  expect(log).toEqual(["GET /v2/"]);
});

test.each([
  ["registry-token.internal:8443", /known inside its own network/],
  ["auth.example", /token service is down|TLS server/],
])("a token service at %s that is not there is told with its host", async (host, cause) => {
  const script = challenging(`Bearer realm="https://${host}/token",service="x"`);
  const { diagnose } = await patient((method, path, request) => {
    if (!path.startsWith("/token")) return script(method, path, request);
    request.socket.destroy();
    return undefined;
  });
  const wrong = wrongIn(await diagnose());
  expect(wrong).toMatchObject([{ check: "login", verdict: "fault", code: "NETWORK", host }]);
  expect(wrong[0]!.message).toContain(`its tokens come from ${host}`);
  expect(wrong[0]!.cause).toMatch(cause);
});

test.each<[string, Record<string, unknown>, string | undefined, RegExp]>([
  ["grants nothing, to nobody", { sub: "", access: [] }, undefined, /does not grant repository:app:pull/],
  ["grants nothing", { access: null }, "ann:s3cret", /does not grant repository:app:pull/],
  ["is for nobody", { sub: "", access: access("pull") }, "ann:s3cret", /for nobody, in spite of the login/],
  [
    "is for another account",
    { sub: "bob", access: access("pull", "push") },
    "ann:s3cret",
    /is for "bob", the login is "ann"/,
  ],
  [
    "is not valid yet",
    { nbf: Math.floor(Date.now() / second) + 600, access: access("pull", "push") },
    undefined,
    /not valid for another \d{3} s/,
  ],
])("a token that %s is worth a warning", async (_, claims, login, message) => {
  const { diagnose } = await patient(issuing(claims), login === undefined ? {} : { login });
  const told = of(await diagnose(), "login").filter(({ verdict }) => verdict === "warning");
  expect(told).toHaveLength(1);
  expect(told[0]!.message).toMatch(message);
  expect(told[0]!.cause).toBeDefined();
});

test("accounts that machines have for users are no strangers", async () => {
  for (const sub of ["ANN", "0f8fad5b-d9cb-469f-a165-70867728950e", "system:serviceaccount:ann"]) {
    const { diagnose } = await patient(issuing({ sub, access: access("pull", "push") }), { login: "ann:s3cret" });
    expect(wrongIn(await diagnose())).toEqual([]);
  }
});

test("a saved token that has expired is told before it is refused", async () => {
  const exp = Math.floor(Date.now() / second) - 7200;
  const { diagnose } = await patient(healthy(), { login: `AWS:${jwt({ exp })}` });
  expect(of(await diagnose(), "credential")).toMatchObject([
    {
      verdict: "warning",
      cause: "what is saved there is a token that expired 2 h ago",
      command: "gantry login registry.example",
    },
  ]);
});

test("a token that is used as it is, and one that buys tokens", async () => {
  const find = (kind: "bearer" | "identity") => (): ReturnType<CredentialSource["find"]> =>
    Promise.resolve({ kind, token: new Secret("s3cret") });
  const asItIs = await patient(healthy(), { credentials: { name: "x", find: find("bearer") } });
  const told = await asItIs.diagnose();
  expect(wrongIn(told)).toEqual([]);
  expect(of(told, "login")[0]!.message).toBe("a token that is used as it is is let in");
  expect(asItIs.log.filter((line) => line.includes("/token"))).toEqual([]);
  const identity = await patient(healthy(), { credentials: { name: "x", find: find("identity") } });
  expect(wrongIn(await identity.diagnose())).toEqual([]);
  expect(identity.log).toContain("POST /token");
});

const basic = healthy((_, path, { headers }) => {
  if (headers.authorization === undefined) return { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
  if (headers.authorization !== `Basic ${btoa("ann:s3cret")}`)
    return { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
  return path === "/v2/" ? { status: 200 } : undefined;
});

test.each<[string | undefined, RegExp | undefined]>([
  ["ann:s3cret", undefined],
  ["ann:wr0ng", /the user "ann" is not let in: 401/],
  [undefined, /wants a login/],
])("Basic, with the login %s", async (login, message) => {
  const { diagnose } = await patient(basic, login === undefined ? {} : { login });
  const told = await diagnose("registry.example");
  const wrong = wrongIn(told);
  if (!message) expect(wrong).toEqual([]);
  else {
    expect(wrong).toMatchObject([{ check: "login", code: "UNAUTHORIZED", command: "gantry login registry.example" }]);
    expect(wrong[0]!.message).toMatch(message);
  }
  expect(JSON.stringify(told)).not.toContain(login?.split(":")[1] ?? "s3cret");
});

test("Basic without a login is a fault where something is not public", async () => {
  const { diagnose } = await patient(basic);
  const told = await diagnose();
  expect(of(told, "login")).toMatchObject([{ verdict: "skipped" }]);
  expect(wrongIn(told)).toMatchObject([
    { check: "pull", code: "UNAUTHORIZED", command: "gantry login registry.example" },
  ]);
  const inPublic = await patient(
    healthy((method, path, { headers }) => {
      if (path === "/v2/") return basic(method, path, { headers } as never);
      return { status: 200, headers: { "content-type": "application/vnd.oci.image.index.v1+json" } };
    }),
  );
  expect(of(await inPublic.diagnose(), "pull")).toMatchObject([{ verdict: "fine" }]);
});

test.each([
  [503, "UNAVAILABLE", /is down/],
  [429, "TOOMANYREQUESTS", /rate limit of the token service/],
  [200, "UNAUTHORIZED", /is no token service/],
  [404, "UNAUTHORIZED", /is no token service/],
])("a token service that answers %i without a token", async (status, code, cause) => {
  const { diagnose } = await patient(
    healthy((_, path) => (path.startsWith("/token") ? { status, body: "{}" } : undefined)),
  );
  const wrong = wrongIn(await diagnose());
  expect(wrong).toMatchObject([{ check: "login", verdict: "fault", code }]);
  expect(wrong[0]!.cause).toMatch(cause);
  expect(wrong[0]!.message).toContain("auth.example");
});

test("a login that is not asked for stays here", async () => {
  const { diagnose, log } = await patient(() => ({ status: 200 }), { login: "ann:s3cret" });
  const told = await diagnose("registry.example");
  expect(of(told, "login")[0]!.message).toBe("the registry asks for no login: it is not sent");
  expect(log.filter((line) => line.endsWith("+login"))).toEqual([]);
});

test.each([
  ["registry.example/app:1", "gantry auth why registry.example/app:1"],
  ["registry.example", "gantry auth check registry.example"],
])("where no login is found for %s, the command that says more takes that", async (target, command) => {
  const { diagnose } = await patient(healthy());
  expect(of(await diagnose(target), "credential")[0]!.command).toBe(command);
});

test("a file of logins that is broken is a fault, and nothing is sent in its stead", async () => {
  const credentials: CredentialSource = {
    name: "x",
    find: () =>
      Promise.reject(
        new RegistryError("INVALID", "/x/config.json is not valid JSON: line 3", { hint: "mend the file" }),
      ),
  };
  const { diagnose, log } = await patient(healthy(), { credentials });
  expect(wrongIn(await diagnose())).toMatchObject([
    {
      check: "credential",
      verdict: "fault",
      code: "INVALID",
      cause: "mend the file",
      message: expect.stringContaining("line 3") as string,
    },
  ]);
  expect(log).toEqual(["GET /v2/"]);
});

test("the challenge names the service, and what it takes for a login", async () => {
  const script = healthy((_, path) => (path.startsWith("/token") ? { status: 401 } : undefined));
  const { diagnose } = await patient(
    (method, path, request) => {
      const said = script(method, path, request);
      return said?.headers?.["www-authenticate"] === challenge
        ? {
            ...said,
            headers: {
              "www-authenticate": 'Bearer realm="https://registry.example/oauth2/token",service="registry.example"',
            },
          }
        : path.startsWith("/oauth2/token")
          ? { status: 401 }
          : said;
    },
    { login: "ann:s3cret" },
  );
  const told = await diagnose();
  expect(of(told, "api")[0]!.message).toContain("looks like Azure Container Registry");
  expect(wrongIn(told)).toMatchObject([{ check: "login", command: "az acr login --name registry.example" }]);
});
