import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Access, Action } from "../../../src/server/access.ts";
import { htpasswdAccess } from "../../../src/server/access/htpasswd-access.ts";
import { ask, basic, bearerOf, getToken, outcome, requestOf, workDirectory, writeUsers } from "./support.ts";

const ping: Action = { verbs: [] };
const pull: Action = { repository: "app", verbs: ["pull"] };
const push: Action = { repository: "app", verbs: ["push"] };
const remove: Action = { repository: "app", verbs: ["delete"] };
const catalog: Action = { verbs: ["catalog"] };

let work: Awaited<ReturnType<typeof workDirectory>>;
let file: string;
const users = { ann: "secret", bob: "hunter2" };
const clock = { time: 1_700_000_000_000 };
const now = (): number => clock.time;
let closed: Access;
let open: Access;
let ruled: Access;

beforeAll(async () => {
  work = await workDirectory();
  file = join(work.path, "users");
  await writeUsers(file, users);
  closed = htpasswdAccess({ file, now });
  open = htpasswdAccess({ file, now, anonymousPull: true });
  ruled = htpasswdAccess({
    file,
    now,
    anonymousPull: true,
    grants: (user, name) => (user === "ann" ? ["pull", "push", "delete"] : name === "app" ? ["pull", "push"] : []),
  });
});
afterAll(async () => await work[Symbol.asyncDispose]());

const ann = basic("ann", "secret");
const bob = basic("bob", "hunter2");

test("what a docker without credentials hears at /v2/, also where it may pull: the way to a token", async () => {
  for (const access of [closed, open]) {
    const verdict = await ask(access, ping);
    const challenge = 'Bearer realm="https://registry.test/token",service="registry.test"';
    expect(verdict).toMatchObject({ allow: false, reply: { status: 401, headers: { "www-authenticate": challenge } } });
  }
});

test.each<{ action: Action; scope: string }>([
  { action: pull, scope: "repository:app:pull" },
  { action: push, scope: "repository:app:pull,push" },
  { action: { ...push, mountFrom: "base" }, scope: "repository:app:pull,push repository:base:pull" },
  { action: catalog, scope: "registry:catalog:*" },
])("a challenge says that it takes $scope", async ({ action, scope }) => {
  const verdict = await ask(open, action);
  const challenge = `Bearer realm="https://registry.test/token",service="registry.test",scope="${scope}"`;
  expect(verdict).toMatchObject({ reply: { status: 401, headers: { "www-authenticate": challenge } } });
});

const unauthorized = "401 UNAUTHORIZED";
test.each([
  { who: "a user", authorization: ann, outcome: "ann" },
  { who: "a wrong password", authorization: basic("ann", "wrong"), outcome: unauthorized },
  { who: "an unknown user", authorization: basic("eve", "secret"), outcome: unauthorized },
  { who: "another scheme", authorization: "Negotiate abc", outcome: unauthorized },
  { who: "a scheme alone", authorization: "Basic", outcome: unauthorized },
  { who: "two headers", authorization: `${ann}, ${ann}`, outcome: unauthorized },
])(
  "Basic on every request: $who is $outcome, also where anybody may pull",
  async ({ authorization, outcome: expected }) => {
    for (const access of [htpasswdAccess({ file, now }), htpasswdAccess({ file, now, anonymousPull: true })]) {
      for (const action of [ping, pull, push, remove, catalog]) {
        expect(await outcome(ask(access, action, authorization))).toBe(expected);
      }
    }
  },
);

const insufficient = "401 UNAUTHORIZED insufficient_scope";
test.each([
  {
    who: "ann",
    scope: "",
    may: { ping: "ann", pull: insufficient, push: insufficient, remove: insufficient, catalog: insufficient },
  },
  {
    who: "ann",
    scope: "repository:app:pull",
    may: { ping: "ann", pull: "ann", push: insufficient, remove: insufficient, catalog: insufficient },
  },
  {
    who: "ann",
    scope: "repository:app:push",
    may: { ping: "ann", pull: "ann", push: "ann", remove: insufficient, catalog: insufficient },
  },
  {
    who: "ann",
    scope: "repository:app:*",
    may: { ping: "ann", pull: "ann", push: "ann", remove: "ann", catalog: insufficient },
  },
  {
    who: "ann",
    scope: "registry:catalog:*",
    may: { ping: "ann", pull: insufficient, push: insufficient, remove: insufficient, catalog: "ann" },
  },
  {
    who: "ann",
    scope: "repository:other:*",
    may: { ping: "ann", pull: insufficient, push: insufficient, remove: insufficient, catalog: insufficient },
  },
  {
    who: "bob",
    scope: "repository:app:*",
    may: { ping: "bob", pull: "bob", push: "bob", remove: "403 DENIED", catalog: insufficient },
  },
  {
    who: "-",
    scope: "repository:app:*",
    may: { ping: "-", pull: "-", push: insufficient, remove: insufficient, catalog: insufficient },
  },
  {
    who: "-",
    scope: "registry:catalog:*",
    may: { ping: "-", pull: insufficient, push: insufficient, remove: insufficient, catalog: "-" },
  },
])("a token of $who for $scope", async ({ who, scope, may }) => {
  const authorization = { ann, bob }[who];
  const reply = await getToken(ruled, `scope=${scope}`, authorization === undefined ? {} : { authorization });
  const bearer = bearerOf(reply);
  const actions = { ping, pull, push, remove, catalog };
  for (const _ of ["verified", "known"]) {
    const got: Record<string, string> = {};
    for (const [name, action] of Object.entries(actions)) got[name] = await outcome(ask(ruled, action, bearer));
    expect(got).toEqual(may);
  }
});

test("where nobody may pull without a login, an anonymous token opens nothing", async () => {
  const bearer = bearerOf(await getToken(closed, "scope=repository:app:pull"));
  for (const action of [ping, pull, catalog])
    expect(await outcome(ask(closed, action, bearer))).toMatch(/^401 UNAUTHORIZED/);
});

test("who may not pull from the source of a mount is told by a verdict of its own", async () => {
  const bearer = bearerOf(
    await getToken(ruled, "scope=repository:app:push&scope=repository:base:pull", { authorization: bob }),
  );
  expect(await outcome(ask(ruled, { ...push, mountFrom: "base" }, bearer))).toBe("bob");
  expect(await outcome(ask(ruled, { repository: "base", verbs: ["pull"] }, bearer))).toBe("403 DENIED");
});

test("the catalog shows what may be pulled", async () => {
  const seen = async (access: Access, authorization: string): Promise<unknown> => {
    const verdict = await ask(access, catalog, authorization);
    return verdict.allow && ["app", "base"].filter(verdict.sees ?? (() => true));
  };
  expect(await seen(closed, bob)).toEqual(["app", "base"]);
  expect(await seen(ruled, ann)).toEqual(["app", "base"]);
  expect(await seen(ruled, bob)).toEqual(["app"]);
  expect(await seen(ruled, bearerOf(await getToken(ruled, "scope=registry:catalog:*")))).toEqual(["app"]);
});

test("known credentials are judged at once, without a promise", async () => {
  const bearer = bearerOf(await getToken(closed, "scope=repository:app:pull", { authorization: ann }));
  expect(ask(closed, pull, bearer)).toBeInstanceOf(Promise);
  await ask(closed, pull, bearer);
  expect(ask(closed, pull, bearer)).toEqual({ allow: true, user: "ann" });
  expect(ask(closed, pull, ann)).toEqual({ allow: true, user: "ann" });
});

test("a token of one host is none at another, whether known or not", async () => {
  const bearer = bearerOf(await getToken(closed, "scope=repository:app:pull", { authorization: ann, host: "a.test" }));
  expect(await outcome(ask(closed, pull, bearer, "b.test"))).toBe("401 UNAUTHORIZED invalid_token");
  expect(await outcome(ask(closed, pull, bearer, "a.test"))).toBe("ann");
  expect(await outcome(ask(closed, pull, bearer, "b.test"))).toBe("401 UNAUTHORIZED invalid_token");
});

test("a known token ends with its time", async () => {
  const bearer = bearerOf(await getToken(closed, "scope=repository:app:pull", { authorization: ann }));
  expect(await outcome(ask(closed, pull, bearer))).toBe("ann");
  clock.time += 959_000;
  expect(await outcome(ask(closed, pull, bearer))).toBe("ann");
  clock.time += 1000;
  expect(await outcome(ask(closed, pull, bearer))).toBe("401 UNAUTHORIZED invalid_token");
});

test("a user that is removed, or has another password, is refused at the next request", async () => {
  const path = join(work.path, "changing");
  await writeUsers(path, users);
  const access = htpasswdAccess({ file: path, now });
  const bearer = bearerOf(await getToken(access, "scope=repository:app:pull", { authorization: ann }));
  expect([await outcome(ask(access, pull, bearer)), await outcome(ask(access, pull, ann))]).toEqual(["ann", "ann"]);
  await writeUsers(path, { bob: "hunter2" });
  expect(await outcome(ask(access, pull, bearer))).toBe("401 UNAUTHORIZED invalid_token");
  expect(await outcome(ask(access, pull, ann))).toBe("401 UNAUTHORIZED");
  await writeUsers(path, { ann: "changed" });
  expect(await outcome(ask(access, pull, bearer))).toBe("401 UNAUTHORIZED invalid_token");
  expect(await outcome(ask(access, pull, basic("ann", "changed")))).toBe("ann");
});

test("a file that cannot be read lets nobody in, says so without the file's name, and is mended by mending it", async () => {
  const path = join(work.path, "broken");
  await writeUsers(path, users);
  const access = htpasswdAccess({ file: path, now });
  const bearer = bearerOf(await getToken(access, "scope=repository:app:pull", { authorization: ann }));
  expect(await outcome(ask(access, pull, bearer))).toBe("ann");
  await writeFile(path, "ann:plain\n");
  for (const authorization of [bearer, ann, basic("eve", "x")]) {
    const error: unknown = await (async () => await ask(access, pull, authorization))().catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({
      code: "UNAVAILABLE",
      cause: { message: expect.stringContaining(`${path}, line 1`) },
    });
    expect(String(error)).not.toMatch(/broken|plain/);
  }
  await writeUsers(path, users);
  expect(await outcome(ask(access, pull, ann))).toBe("ann");
});

test("tokens outlive the process where their key is kept", async () => {
  const keyFile = join(work.path, "kept", "token.key");
  const first = htpasswdAccess({ file, keyFile, now });
  const bearer = bearerOf(await getToken(first, "scope=repository:app:pull", { authorization: ann }));
  expect(await outcome(ask(htpasswdAccess({ file, keyFile, now }), pull, bearer))).toBe("ann");
  expect(await outcome(ask(closed, pull, bearer))).toBe("401 UNAUTHORIZED invalid_token");
});

test("prepare shows what is wrong before the first request, and makes the key", async () => {
  const keyFile = join(work.path, "made", "token.key");
  await htpasswdAccess({ file, keyFile }).prepare?.();
  expect((await stat(keyFile)).size).toBe(44);
  const missing = htpasswdAccess({ file: join(work.path, "missing") });
  await expect(missing.prepare?.()).rejects.toMatchObject({
    code: "INVALID",
    hint: expect.stringContaining("htpasswd -B"),
  });
  await mkdir(join(work.path, "directory"));
  const wrongKey = htpasswdAccess({ file, keyFile: join(work.path, "directory") });
  await expect(wrongKey.prepare?.()).rejects.toMatchObject({ code: "INVALID" });
});

test.each(['evil"', "a b", ""])("a request for the host %j is refused as such", async (host) => {
  expect(await outcome(ask(open, pull, undefined, host))).toBe("400 UNSUPPORTED");
});

test("settings that cannot be right are refused before anything is read", () => {
  expect(() => htpasswdAccess({ file, publicUrl: "nonsense" })).toThrow("public URL");
  expect(htpasswdAccess({ file: "/nowhere", publicUrl: "https://hub.example" }).open).toBe(false);
});

test("no refusal says what was sent", async () => {
  const secrets = ["s3cr3t-password", "eyJhbGciOiJIUzI1NiJ9.s3cr3t.s3cr3t"];
  for (const authorization of [
    basic("eve", "s3cr3t-password"),
    `Bearer ${secrets[1]}`,
    "Basic s3cr3t",
    "Other s3cr3t",
  ]) {
    const verdict = await closed.authorize(requestOf({ headers: { authorization } }), pull);
    expect(
      JSON.stringify(verdict, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString() : value,
      ),
    ).not.toContain("s3cr3t");
  }
});
