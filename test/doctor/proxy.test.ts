import { createServer as createPlainServer, type Server } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { routeTo } from "../../src/doctor/route.ts";
import { createClient } from "../../src/index.ts";
import type { Diagnosis } from "../../src/doctor/diagnosis.ts";
import { createServer } from "node:https";
import type { HostSettings } from "../../src/transport/host-settings.ts";
import { answer, listen, type Listening } from "../transport/listen.ts";
import { authority, good, key, selfSigned } from "./certificates.ts";
import { healthy, of, patient, wrongIn } from "./support.ts";

/** A proxy that leads every CONNECT to one server, or answers it with a status. */
async function proxy(
  to: URL | undefined,
  status = 200,
  made: Server = createPlainServer(),
): Promise<{ server: Listening; asked: string[]; logins: unknown[] }> {
  const server = await listen((_, response) => answer(response, 400), made);
  const [asked, logins]: [string[], unknown[]] = [[], []];
  const sockets = new Set<Socket>();
  server.server.on("connect", (request, socket: Socket) => {
    asked.push(request.url!);
    logins.push(request.headers["proxy-authorization"]);
    sockets.add(socket.on("error", () => {}));
    if (status !== 200 || !to) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const through = connect(Number(to.port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      through.pipe(socket).pipe(through);
    });
    sockets.add(through.on("error", () => {}));
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return server[Symbol.asyncDispose]();
  });
  return { server, asked, logins };
}

async function through(
  env: Record<string, string>,
  target = "registry.example",
  settings: HostSettings = {},
): Promise<readonly Diagnosis[]> {
  const hosts = { "*": { tls: { ca: authority } }, [target]: settings };
  const client = createClient({ env: { HOME: "/nonexistent", ...env }, hosts });
  onTestFinished(() => client.close());
  return Array.fromAsync(client.diagnose(target, { timeout: 5000 }));
}

test("the way through a proxy is told and taken, with the proxy's login, which is not told", async () => {
  const registry = await listen((_, response) => answer(response, 200), createServer({ key, cert: good }));
  onTestFinished(() => registry[Symbol.asyncDispose]());
  const { server, asked, logins } = await proxy(registry.url);
  const told = await through({ HTTPS_PROXY: `http://ann:s3cret@${server.url.host}` });
  expect(wrongIn(told)).toEqual([]);
  expect(of(told, "proxy")[0]!.message).toBe(`requests go through http://${server.url.host} (HTTPS_PROXY)`);
  expect(of(told, "tcp")[0]!.message).toContain(server.url.host);
  expect(of(told, "tls")[0]!.message).toMatch(/^TLSv1\.3/);
  expect(asked[0]).toBe("registry.example:443");
  expect(logins[0]).toBe(`Basic ${btoa("ann:s3cret")}`);
  expect(JSON.stringify(told)).not.toContain("s3cret");
});

test("a proxy that speaks TLS is trusted as commands trust it", async () => {
  const registry = await listen((_, response) => answer(response, 200), createServer({ key, cert: good }));
  onTestFinished(() => registry[Symbol.asyncDispose]());
  const { server } = await proxy(registry.url, 200, createServer({ key, cert: good }));
  const told = await through({ HTTPS_PROXY: `https://${server.url.host}` });
  expect(wrongIn(told)).toEqual([]);
  expect(of(told, "tls")[0]!.message).toMatch(/^TLSv1\.3/);
});

test.each([
  ["registry.example", "192.0.2.1", "192.0.2.1:443"],
  ["registry.example", "2001:db8::1", "[2001:db8::1]:443"],
  ["[2001:db8::2]:5000", undefined, "[2001:db8::2]:5000"],
])("the proxy is asked for the address that requests go to: %s, %s", async (target, address, authority) => {
  const { server, asked } = await proxy(undefined, 502);
  await through({ HTTPS_PROXY: server.url.href }, target, address === undefined ? {} : { address });
  expect(new Set(asked)).toEqual(new Set([authority]));
});

test.each([
  [407, "the proxy wants a login"],
  [403, "do not allow this host"],
  [502, "its own DNS or network"],
  [404, "is no proxy"],
])("a proxy that answers %i", async (status, cause) => {
  const { server } = await proxy(undefined, status);
  const told = await through({ https_proxy: `http://ann:s3cret@${server.url.host}` });
  expect(wrongIn(told)).toMatchObject([
    { check: "proxy", verdict: "fault", status, cause: expect.stringContaining(cause) as string },
  ]);
  expect(JSON.stringify(told)).not.toContain("s3cret");
});

test("a proxy that cannot prove who it is gets no login", async () => {
  const { server, asked } = await proxy(undefined, 200, createServer({ key, cert: selfSigned }));
  const told = await through({ https_proxy: `https://ann:s3cret@${server.url.host}` });
  expect(wrongIn(told)).toMatchObject([
    {
      check: "proxy",
      verdict: "fault",
      host: server.url.host,
      message: expect.stringContaining("self-signed") as string,
    },
  ]);
  expect(asked).toEqual([]);
});

test("what speaks no HTTP is no proxy", async () => {
  const server = createTcpServer((socket) => socket.on("error", () => {}).end("220 mail.example ESMTP\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(wrongIn(await through({ https_proxy: `http://${host}` }))).toMatchObject([
    { check: "proxy", verdict: "fault", host },
  ]);
});

test("a proxy that is none", async () => {
  for (const text of ["socks5://127.0.0.1:1", "ftp://ann:s3cret@nowhere", "http://"]) {
    const told = await through({ https_proxy: text });
    expect(wrongIn(told)).toMatchObject([{ check: "proxy", verdict: "fault", code: "INVALID" }]);
    expect(JSON.stringify(told)).not.toContain("s3cret");
  }
});

test("an exemption is told with the entry that makes it", async () => {
  const env = { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "localhost, .example" };
  const { diagnose } = await patient(healthy(), { env });
  const told = await diagnose();
  expect(of(told, "proxy")).toMatchObject([{ verdict: "fine", message: 'none: NO_PROXY has ".example"' }]);
  expect(wrongIn(told)).toEqual([]);
});

describe("the way to a host", () => {
  const url = new URL("https://registry.example/");

  test.each<[string, Record<string, string>, string]>([
    ["nothing is set", {}, "direct"],
    ["the lower-case variable", { https_proxy: "http://a:1", HTTPS_PROXY: "http://b:1" }, "proxy"],
    ["an empty one", { https_proxy: "" }, "direct"],
    ["that of the other scheme", { http_proxy: "http://a:1" }, "direct"],
    ["a star", { https_proxy: "http://a:1", no_proxy: "*" }, "direct"],
    ["the port too", { https_proxy: "http://a:1", no_proxy: "registry.example:443" }, "direct"],
    ["another port", { https_proxy: "http://a:1", no_proxy: "registry.example:5000" }, "proxy"],
    ["a wildcard", { https_proxy: "http://a:1", no_proxy: "*.example" }, "direct"],
    ["only the end of a name", { https_proxy: "http://a:1", no_proxy: "try.example" }, "proxy"],
    ["the variable for all schemes", { ALL_PROXY: "a:1" }, "proxy"],
    ["a SOCKS proxy", { https_proxy: "socks5://a:1" }, "broken"],
  ])("%s", (_, env, kind) => {
    expect(routeTo(url, () => ({}), env).kind).toBe(kind);
  });

  test.each([
    "http://ann:s3/cret@a:1",
    "http://ann:s3@s3cret@a:port",
    "socks5://ann:s3@cret@a:1",
    "http+x://ann:s3cret@a:1",
    "ann:s3/cret@a:1",
    "http://ann:s3cret@",
  ])("what is no proxy is told without user and password: %s", (https_proxy) => {
    const route = routeTo(url, () => ({}), { https_proxy });
    expect(route.kind).toBe("broken");
    expect(JSON.stringify(route)).not.toMatch(/ann|s3|cret/);
  });

  test("settings of the host come first, and this machine has no proxy", () => {
    const env = { https_proxy: "http://a:1" };
    expect(routeTo(url, () => ({ proxy: false }), env).kind).toBe("direct");
    expect(routeTo(url, () => ({ proxy: "http://b:1" }), {})).toMatchObject({
      kind: "proxy",
      from: "the settings of this host",
    });
    expect(routeTo(new URL("https://localhost:5000/"), () => ({ proxy: "http://b:1" }), env).kind).toBe("direct");
  });

  test("whatever the variables hold, nothing is thrown", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (https_proxy, no_proxy) => {
        expect(["direct", "proxy", "broken"]).toContain(routeTo(url, () => ({}), { https_proxy, no_proxy }).kind);
      }),
    );
  });
});
