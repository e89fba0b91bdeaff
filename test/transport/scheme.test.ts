import { createServer as createSecureServer } from "node:https";
import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, contentOf } from "../../src/oci/stream.ts";
import { networkError } from "../../src/transport/network-error.ts";
import { scheme } from "../../src/transport/scheme.ts";
import { settingsByHost } from "../../src/transport/host-settings.ts";
import { wire } from "../../src/transport/wire.ts";
import { authority, serverCertificate, serverKey } from "./certificates.ts";
import { answer, listen } from "./listen.ts";
import { ask, respond, scripted } from "./support.ts";

const protocols = (net: ReturnType<typeof scripted>): readonly string[] =>
  net.requests.map(({ method, url }) => `${method} ${url.protocol}`);
const broken = (): RegistryError => new RegistryError("NETWORK", "broken");
const isInsecure = (host: string): boolean => host === "insecure.example";

test("a host that nobody declared insecure is never spoken to in plain HTTP", async () => {
  const net = scripted(broken());
  await expect(scheme({ isInsecure })(net)(ask("https://registry.example/"))).rejects.toThrow("broken");
  expect(protocols(net)).toEqual(["GET https:"]);
});

describe.each([
  ["this machine", "https://localhost:5000/v2/", "http:", "https:"],
  ["a host declared insecure", "https://insecure.example/v2/", "https:", "http:"],
])("%s", (_, url, first, second) => {
  test("is tried one way first, and remembered", async () => {
    const net = scripted(respond(200), respond(404));
    const transport = scheme({ isInsecure })(net);
    await transport(ask(url));
    expect(await transport(ask(url))).toMatchObject({ status: 404 });
    expect(protocols(net)).toEqual([`GET ${first}`, `GET ${first}`]);
  });

  test("is tried the other way where that does not work, and remembered", async () => {
    const net = scripted(broken(), respond(200), respond(200));
    const transport = scheme({ isInsecure })(net);
    await transport(ask(url));
    await transport(ask(url));
    expect(protocols(net)).toEqual([`GET ${first}`, `GET ${second}`, `GET ${second}`]);
  });

  test("is tried anew where neither works, and the first failure is told", async () => {
    const net = scripted(broken(), new RegistryError("NETWORK", "other"), respond(200));
    const transport = scheme({ isInsecure })(net);
    await expect(transport(ask(url))).rejects.toThrow("broken");
    await transport(ask(url));
    expect(protocols(net)).toEqual([`GET ${first}`, `GET ${second}`, `GET ${first}`]);
  });

  test("is asked without a body before one is sent", async () => {
    const net = scripted(broken(), respond(401), respond(201));
    await scheme({ isInsecure })(net)(ask(url, "PUT", { body: { open: contentOf(Buffer.from("x")) } }));
    expect(protocols(net)).toEqual([`GET ${first}`, `GET ${second}`, `PUT ${second}`]);
    expect(net.requests[0]).toMatchObject({ anonymous: true });
  });

  test("is found out once for all who ask together", async () => {
    const net = scripted(broken(), respond(200), respond(200), respond(200));
    const transport = scheme({ isInsecure })(net);
    await Promise.all([1, 2, 3].map(() => transport(ask(url))));
    expect(protocols(net)).toEqual([`GET ${first}`, `GET ${second}`, `GET ${second}`, `GET ${second}`]);
  });
});

test("a host declared insecure is tried in plain HTTP first where the URL says so", async () => {
  const net = scripted(broken(), respond(200), respond(200));
  const transport = scheme({ isInsecure })(net);
  await transport(ask("http://insecure.example/v2/"));
  await transport(ask("http://insecure.example/v2/"));
  expect(protocols(net)).toEqual(["GET http:", "GET https:", "GET https:"]);
});

test("where TLS is spoken and the certificate is not trusted, that is told, and not that plain HTTP broke", async () => {
  const cut = new RegistryError("NETWORK", "broke the connection off", { retryable: true });
  const net = scripted(cut, new RegistryError("NETWORK", "has a self-signed TLS certificate"));
  await expect(scheme()(net)(ask("https://localhost/"))).rejects.toThrow("self-signed");
});

test.each(["https://localhost/", "https://insecure.example/"])(
  "where TLS is not spoken, what became of plain HTTP is told, as that may pass: %s",
  async (url) => {
    const cut = new RegistryError("NETWORK", "broke the connection off", { retryable: true });
    const notTls = networkError(Object.assign(new Error(), { code: "ERR_SSL_WRONG_VERSION_NUMBER" }), ask(url));
    const net = scripted(...(url.includes("localhost") ? [cut, notTls] : [notTls, cut]));
    await expect(scheme({ isInsecure })(net)(ask(url))).rejects.toBe(cut);
  },
);

test("a plain answer that asks for TLS leads to TLS; any other 400 is passed on whole", async () => {
  const net = scripted(respond(400, {}, "Client sent an HTTP request to an HTTPS server.\n"), respond(200));
  expect(await scheme()(net)(ask("https://localhost/"))).toMatchObject({ status: 200 });
  const nginx = scripted(respond(400, {}, "<h1>The plain HTTP request was sent to HTTPS port</h1>"), respond(200));
  expect(await scheme()(nginx)(ask("https://localhost/"))).toMatchObject({ status: 200 });
  const head = scripted(respond(400), respond(400, {}, "The plain HTTP request was sent to HTTPS port"), respond(201));
  expect(await scheme()(head)(ask("https://localhost/x", "HEAD"))).toMatchObject({ status: 201 });
  expect(protocols(head)).toEqual(["HEAD http:", "GET http:", "HEAD https:"]);
  const bad = scripted(respond(400), respond(200), respond(200));
  expect(await scheme()(bad)(ask("https://localhost/x", "HEAD"))).toMatchObject({ status: 400 });
  const other = await scheme()(scripted(respond(400, {}, "bad name")))(ask("https://localhost/"));
  expect(Buffer.from(await collect(other.body, 100)).toString()).toBe("bad name");
});

test("over real sockets, to a server of each kind", async () => {
  const net = wire({ settingsOf: settingsByHost({ "*": { tls: { ca: authority } } }) });
  const transport = scheme()(net);
  await using plain = await listen((_, response) => answer(response, 200));
  await using secure = await listen(
    (_, response) => answer(response, 201),
    createSecureServer({ cert: serverCertificate, key: serverKey }),
  );
  expect(await transport(ask(`https://${plain.url.host}/`))).toMatchObject({ status: 200 });
  expect(await transport(ask(`https://${secure.url.host}/`, "HEAD"))).toMatchObject({ status: 201 });
  net.close();
});

test("a HEAD that is refused without a word is asked again with words, before TLS is ruled out", async () => {
  const forTls = "<title>400 The plain HTTP request was sent to HTTPS port</title>";
  const secure = scripted(respond(400), respond(400, {}, forTls), respond(200));
  const request = ask("https://localhost:5000/v2/app/manifests/v1", "HEAD");
  expect(await scheme()(secure)(request)).toMatchObject({ status: 200 });
  expect(secure.requests.map(({ method, url }) => `${method} ${url.protocol}`)).toEqual([
    "HEAD http:",
    "GET http:",
    "HEAD https:",
  ]);
  const plain = scripted(respond(400), respond(400, {}, "no such tag"));
  expect(await scheme()(plain)(request)).toMatchObject({ status: 400 });
  expect(plain.requests).toHaveLength(2);
});
