import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Access } from "../../../src/server/access.ts";
import { htpasswdAccess } from "../../../src/server/access/htpasswd-access.ts";
import type { Reply } from "../../../src/server/message.ts";
import {
  basic,
  errorCode,
  getToken,
  json,
  postToken,
  requestOf,
  routed,
  textOf,
  type TokenReply,
  workDirectory,
  writeUsers,
} from "./support.ts";

let work: Awaited<ReturnType<typeof workDirectory>>;
let access: Access;
let file: string;
const now = (): number => 1_700_000_000_000;

beforeAll(async () => {
  work = await workDirectory();
  file = join(work.path, "users");
  await writeUsers(file, { ann: "secret", bob: "hunter2" });
  const keyFile = join(work.path, "token.key");
  const grants = (user: string | undefined, name: string): readonly ("pull" | "push" | "delete")[] =>
    name.startsWith("secret/") && user !== "ann" ? [] : user === "bob" ? ["pull"] : ["pull", "push", "delete"];
  access = htpasswdAccess({ file, keyFile, anonymousPull: true, grants, now });
});
afterAll(async () => await work[Symbol.asyncDispose]());

const scopeOf = (reply: Reply): string => (json(reply) as TokenReply).scope;
const all = "scope=repository:app:pull,push&scope=repository:secret/x:*&scope=registry:catalog:*";

test.each([
  { user: "ann", scope: "repository:app:pull,push repository:secret/x:pull,push,delete registry:catalog:*" },
  { user: "bob", scope: "repository:app:pull registry:catalog:*" },
  { user: undefined, scope: "repository:app:pull registry:catalog:*" },
])("$user gets what of the wish is allowed, by GET and by POST", async ({ user, scope }) => {
  const password = user === "ann" ? "secret" : "hunter2";
  const authorization = user === undefined ? {} : { authorization: basic(user, password) };
  const got = await getToken(access, `service=registry.test&account=x&client_id=docker&${all}`, authorization);
  expect([got.status, scopeOf(got)]).toEqual([200, scope]);
  if (user === undefined) return;
  const scopes = new URLSearchParams(all).getAll("scope").join(" ");
  const form = {
    grant_type: "password",
    username: user,
    password,
    service: "registry.test",
    scope: scopes,
    client_id: "containerd",
  };
  const posted = await postToken(access, form);
  expect([posted.status, scopeOf(posted)]).toEqual([200, scope]);
});

test("the reply is what clients read, and nobody may keep it", async () => {
  const reply = await getToken(access, "scope=repository:app:pull", { authorization: basic("ann", "secret") });
  expect(reply.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
  const { token, ...rest } = json(reply) as TokenReply;
  expect(rest).toEqual({
    access_token: token,
    scope: "repository:app:pull",
    expires_in: 900,
    issued_at: "2023-11-14T22:13:20.000Z",
  });
});

test.each([
  { name: "a wrong password", authorization: basic("ann", "wrong") },
  { name: "an unknown user", authorization: basic("eve", "secret") },
  { name: "no password", authorization: basic("ann", "") },
  { name: "another user's password", authorization: basic("ann", "hunter2") },
  { name: "a header without a colon", authorization: `Basic ${btoa("ann")}` },
  { name: "no base64", authorization: "Basic ann:secret" },
  { name: "a header sent twice", authorization: `${basic("ann", "secret")}, ${basic("ann", "secret")}` },
  { name: "a Bearer header", authorization: "Bearer abc" },
])("$name is 401, with the name of a scheme and no secret", async ({ authorization }) => {
  const reply = await getToken(access, "service=registry.test&scope=repository:app:pull", { authorization });
  expect([reply.status, errorCode(reply)]).toEqual([401, "UNAUTHORIZED"]);
  expect(reply.headers["www-authenticate"]).toBe('Basic realm="registry.test"');
  expect(textOf(reply)).not.toMatch(/secret|hunter2|wrong|ann|eve/);
});

test("a refresh token stands for the password until that changes", async () => {
  const login = await getToken(access, "offline_token=true", { authorization: basic("ann", "secret") });
  const { refresh_token = "" } = json(login) as TokenReply;
  const form = { grant_type: "refresh_token", refresh_token, service: "registry.test", scope: "repository:app:push" };
  const refreshed = await postToken(access, form);
  expect([refreshed.status, scopeOf(refreshed)]).toEqual([200, "repository:app:push,pull"]);
  expect(json(refreshed)).not.toHaveProperty("refresh_token");
  const other = await postToken(access, { ...form, refresh_token: (json(refreshed) as TokenReply).token });
  expect([other.status, errorCode(other)]).toEqual([401, "UNAUTHORIZED"]);
  await writeUsers(file, { ann: "changed", bob: "hunter2" });
  expect((await postToken(access, form)).status).toBe(401);
  await writeUsers(file, { ann: "secret", bob: "hunter2" });
  expect((await postToken(access, form)).status, "the same password hashed again is another entry").toBe(401);
});

test.each([
  { name: "a login that does not ask for one", query: "", user: "ann" },
  { name: "the anonymous", query: "offline_token=true", user: undefined },
])("no refresh token for $name", async ({ query, user }) => {
  const authorization = user === undefined ? {} : { authorization: basic(user, "secret") };
  expect(json(await getToken(access, query, authorization))).not.toHaveProperty("refresh_token");
});

test("a form may ask for a refresh token; keys that end with the process give none", async () => {
  const form = { grant_type: "password", username: "ann", password: "secret", access_type: "offline" };
  expect(json(await postToken(access, form))).toHaveProperty("refresh_token");
  expect(json(await postToken(htpasswdAccess({ file }), form))).not.toHaveProperty("refresh_token");
});

test.each([
  { name: "another service", target: "/token?service=other.test", status: 400 },
  { name: "no host", target: "/token", headers: { host: "" }, status: 400 },
  { name: "another method", target: "/token", method: "PUT", status: 405 },
  { name: "a form of no grant", target: "/token", method: "POST", body: "a=b", status: 400 },
  {
    name: "a form of another grant",
    target: "/token",
    method: "POST",
    body: "grant_type=client_credentials",
    status: 400,
  },
  {
    name: "a form that is too long",
    target: "/token",
    method: "POST",
    body: `grant_type=${"x".repeat(65_536)}`,
    status: 400,
  },
  {
    name: "JSON",
    target: "/token",
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
    status: 400,
  },
  {
    name: "a refresh without a token",
    target: "/token",
    method: "POST",
    body: "grant_type=refresh_token",
    status: 401,
  },
  { name: "a login without a name", target: "/token", method: "POST", body: "grant_type=password", status: 401 },
])("$name is $status", async ({ status, headers, ...change }) => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const reply = await routed(access, requestOf({ ...change, headers: { ...form, ...headers } }));
  expect(reply.status).toBe(status);
  expect(errorCode(reply)).toBe(status === 401 ? "UNAUTHORIZED" : "UNSUPPORTED");
});

test("too many failures are 429 with a time to wait, before the password is looked at", async () => {
  const request = (password: string): Promise<Reply> => getToken(access, "", { authorization: basic("bob", password) });
  for (let i = 0; i < 10; i++) expect((await request(`wrong ${i}`)).status).toBe(401);
  const reply = await request("wrong again");
  expect([reply.status, errorCode(reply), reply.headers["retry-after"]]).toEqual([429, "TOOMANYREQUESTS", "6"]);
});

test("other paths are not answered", () => {
  for (const target of ["/", "/tokens", "/token/", "/v2/token", "/Token"]) {
    expect(access.route?.(requestOf({ target }))).toBeUndefined();
  }
});
