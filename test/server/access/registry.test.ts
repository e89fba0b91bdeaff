import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authenticate } from "../../../src/auth/authenticate.ts";
import { userPassword } from "../../../src/auth/credential.ts";
import { fixedSource } from "../../../src/auth/flags.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Grants } from "../../../src/server/access/policy.ts";
import { htpasswdAccess } from "../../../src/server/access/htpasswd-access.ts";
import type { ServerEvent } from "../../../src/server/events.ts";
import type { Listening } from "../../../src/server/listen.ts";
import { createRegistry, type EmbeddedRegistry } from "../../../src/server/registry.ts";
import { memoryStorage } from "../../../src/server/storage/memory.ts";
import { compose, type Method, type Middleware } from "../../../src/transport/transport.ts";
import { imageManifest, pushBlob, pushImage, type Send, sender } from "../support.ts";
import { basic, workDirectory, writeUsers } from "./support.ts";

let work: Awaited<ReturnType<typeof workDirectory>>;
let registry: EmbeddedRegistry;
let listening: Listening;
const events: ServerEvent[] = [];
const passwords = { ann: "ann's secret", bob: "bob's secret" };
/** ann owns all; bob may write to `app` but not delete, and sees nothing of `private`; the anonymous pull from `app`. */
const grants: Grants = (user, name) =>
  user === "ann" ? ["pull", "push", "delete"] : name.startsWith("private") ? [] : ["pull", "push"];

beforeAll(async () => {
  work = await workDirectory();
  const file = join(work.path, "users");
  await writeUsers(file, passwords);
  const access = htpasswdAccess({ file, anonymousPull: true, grants });
  registry = createRegistry({ storage: memoryStorage(), access, onEvent: (event) => void events.push(event) });
  listening = await registry.listen();
  const send = as("ann");
  for (const name of ["app", "private/app"]) await pushImage(send, name, "v1");
  await pushBlob(send, "private/app", "a secret");
});
afterAll(async () => {
  await registry.close();
  await work[Symbol.asyncDispose]();
});

/** Sends as somebody, by our own client's authentication; `counted` sees what goes out. */
function as(user: keyof typeof passwords | undefined, counted: Middleware = (next) => next): Send {
  const isInsecure = (): boolean => true;
  const credentials = user && { credentials: fixedSource("test", userPassword(user, passwords[user])) };
  return sender(compose(registry.transport, authenticate({ isInsecure, ...credentials }), counted));
}

/** Sends as somebody, with Basic credentials on every request. */
function basicAs(user: keyof typeof passwords): Send {
  const send = sender(registry.transport);
  const authorization = basic(user, passwords[user]);
  return (method, path, sending = {}) =>
    send(method, path, { ...sending, headers: { ...sending.headers, authorization } });
}

const blob = digestOf("{}");
const requests: readonly { method: Method; path: string; ann: number; bob: number; nobody: number }[] = [
  { method: "GET", path: "/v2/", ann: 200, bob: 200, nobody: 200 },
  { method: "GET", path: "/v2/_catalog", ann: 200, bob: 200, nobody: 200 },
  { method: "GET", path: "/v2/_oci/ext/discover", ann: 200, bob: 200, nobody: 200 },
  ...["app", "private/app"].flatMap((name) => {
    const closed = name !== "app";
    const pull = { ann: 200, bob: closed ? 403 : 200, nobody: closed ? 401 : 200 };
    const unknown = { ann: 404, bob: closed ? 403 : 404, nobody: 401 };
    const remove = { ann: 404, bob: 403, nobody: 401 };
    const none = digestOf("not there");
    return [
      { method: "GET" as const, path: `/v2/${name}/manifests/v1`, ...pull },
      { method: "HEAD" as const, path: `/v2/${name}/manifests/v1`, ...pull },
      { method: "GET" as const, path: `/v2/${name}/blobs/${blob}`, ...pull },
      { method: "HEAD" as const, path: `/v2/${name}/blobs/${blob}`, ...pull },
      { method: "GET" as const, path: `/v2/${name}/tags/list`, ...pull },
      { method: "GET" as const, path: `/v2/${name}/referrers/${blob}`, ...pull },
      { method: "GET" as const, path: `/v2/${name}/_gantry/inventory/manifests`, ...pull },
      { method: "PUT" as const, path: `/v2/${name}/manifests/v1`, ann: 400, bob: closed ? 403 : 400, nobody: 401 },
      {
        method: "PUT" as const,
        path: `/v2/${name}/manifests/${none}?tag=v1`,
        ann: 400,
        bob: closed ? 403 : 400,
        nobody: 401,
      },
      { method: "POST" as const, path: `/v2/${name}/blobs/uploads/`, ann: 202, bob: closed ? 403 : 202, nobody: 401 },
      {
        method: "POST" as const,
        path: `/v2/${name}/blobs/uploads/?mount=${blob}`,
        ann: 201,
        bob: closed ? 403 : 201,
        nobody: 401,
      },
      { method: "GET" as const, path: `/v2/${name}/blobs/uploads/none`, ...unknown },
      { method: "PATCH" as const, path: `/v2/${name}/blobs/uploads/none`, ...unknown },
      { method: "PUT" as const, path: `/v2/${name}/blobs/uploads/none?digest=${blob}`, ...unknown },
      { method: "DELETE" as const, path: `/v2/${name}/blobs/uploads/none`, ...unknown },
      { method: "DELETE" as const, path: `/v2/${name}/manifests/none`, ...remove },
      { method: "DELETE" as const, path: `/v2/${name}/manifests/${none}`, ...remove },
      { method: "DELETE" as const, path: `/v2/${name}/blobs/${none}`, ...remove },
    ];
  }),
];

test.each(requests)(
  "$method $path: ann $ann, bob $bob, the anonymous $nobody",
  async ({ method, path, ...expected }) => {
    const got = {
      ann: (await as("ann")(method, path)).status,
      bob: (await as("bob")(method, path)).status,
      nobody: (await as(undefined)(method, path)).status,
    };
    expect(got).toEqual(expected);
    expect((await basicAs("ann")(method, path)).status).toBe(expected.ann);
    expect((await basicAs("bob")(method, path)).status).toBe(expected.bob);
    expect((await sender(registry.transport)(method, path)).status, "without a token, all are asked for one").toBe(401);
  },
);

test("the catalog names to each what they may pull", async () => {
  expect((await as("ann")("GET", "/v2/_catalog")).json).toEqual({ repositories: ["app", "private/app"] });
  expect((await as("bob")("GET", "/v2/_catalog")).json).toEqual({ repositories: ["app"] });
  expect((await as(undefined)("GET", "/v2/_catalog")).json).toEqual({ repositories: ["app"] });
});

describe("a mount", () => {
  const secret = digestOf("a secret");
  test.each([
    { user: "ann", from: "private/app", status: 201 },
    { user: "bob", from: "private/app", status: 202 },
    { user: "bob", from: "private/none", status: 202 },
  ] as const)("from $from by $user is $status, never 403", async ({ user, from, status }) => {
    for (const send of [as(user), basicAs(user)]) {
      const path = `/v2/app/of-${user}/blobs/uploads/?mount=${secret}&from=${from}`;
      expect((await send("POST", path)).status).toBe(status);
    }
  });

  test("from anywhere finds nothing that the caller may not read", async () => {
    const other = await pushBlob(as("ann"), "private/app", "another secret");
    const path = `/v2/app/anonymous/blobs/uploads/?mount=${other}`;
    expect((await basicAs("bob")("POST", path)).status).toBe(202);
  });
});

test("our own client asks for a token once, and for another only where it needs more", async () => {
  const sent: string[] = [];
  const counted: Middleware = (next) => async (request) => {
    sent.push(`${request.method} ${request.url.pathname}`);
    return await next(request);
  };
  const send = as("bob", counted);
  for (let i = 0; i < 3; i++) await send("GET", "/v2/app/manifests/v1");
  expect(sent).toEqual([
    "GET /v2/app/manifests/v1",
    "GET /token",
    ...Array<string>(3).fill("GET /v2/app/manifests/v1"),
  ]);
  sent.length = 0;
  const { body, mediaType } = await imageManifest(send, "app");
  expect((await send("PUT", "/v2/app/manifests/v2", { body, headers: { "content-type": mediaType } })).status).toBe(
    201,
  );
  expect(sent.filter((line) => line === "GET /token")).toHaveLength(1);
});

/** Sends a request as it is written; all that comes back. */
async function raw(lines: readonly string[], body = ""): Promise<string> {
  const [host, port] = listening.host.split(":");
  const socket = connect(Number(port), host);
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  let answer = "";
  for await (const piece of socket) answer += String(piece);
  return answer;
}

describe("over a socket", () => {
  const ann = `Authorization: ${basic("ann", passwords.ann)}`;
  const eve = `Authorization: ${basic("eve", "x")}`;
  const catalog = "GET /v2/_catalog HTTP/1.1";
  test.each([
    { name: "who is in is let in", lines: [catalog, "Host: r.test", ann], status: 200 },
    { name: "two credentials, the right first", lines: [catalog, "Host: r.test", ann, eve], status: 401 },
    { name: "two credentials, the right last", lines: [catalog, "Host: r.test", eve, ann], status: 401 },
    { name: "two hosts", lines: [catalog, "Host: r.test", "Host: s.test", ann], status: 400 },
    { name: "a host that is none", lines: [catalog, 'Host: r.test",x="', ann], status: 400 },
    {
      name: "a host forwarded by who is no proxy of ours",
      lines: [catalog, "Host: r.test", "X-Forwarded-Host: evil.test"],
      status: 401,
    },
    {
      name: "a name in the place of a proxy's login",
      lines: [catalog, "Host: r.test", "X-Forwarded-User: ann", "X-Remote-User: ann"],
      status: 401,
    },
  ])("$name: $status", async ({ lines, status }) => {
    const answer = await raw([...lines, "Connection: close"]);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).not.toMatch(/evil/);
    if (status === 401)
      expect(answer).toContain('www-authenticate: Bearer realm="http://r.test/token",service="r.test"');
  });

  test("a request hidden in the body of a refused one is not answered", async () => {
    const hidden = [catalog, "Host: r.test", ann, "", ""].join("\r\n");
    const outer = ["POST /v2/app/blobs/uploads/ HTTP/1.1", "Host: r.test", `Content-Length: ${hidden.length}`];
    expect((await raw(outer, hidden)).match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  test("pipelined requests are each judged by their own credentials", async () => {
    const answer = await raw([
      catalog,
      "Host: r.test",
      ann,
      "",
      catalog,
      "Host: r.test",
      "",
      catalog,
      "Host: r.test",
      ann,
    ]);
    expect(answer.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 401", "HTTP/1.1 200"]);
  });

  test("the token endpoint reads no more of a form than it takes", async () => {
    const form = ["POST /token HTTP/1.1", "Host: r.test", "Content-Type: application/x-www-form-urlencoded"];
    const answer = await raw([...form, "Content-Length: 1000000"], "grant_type=password&".repeat(10_000));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test("nothing of a secret is in what the registry tells", () => {
  const told = JSON.stringify(events);
  expect(told).toContain('"user":"ann"');
  for (const password of Object.values(passwords)) expect(told).not.toContain(password);
  expect(told).not.toMatch(/eyJ|Basic |Bearer |\$2b/);
});
