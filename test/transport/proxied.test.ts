import { createHash, randomBytes } from "node:crypto";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { contentOf, type ByteStream } from "../../src/oci/stream.ts";
import { collect } from "../../src/oci/stream.ts";
import { settingsByHost, type HostSettings } from "../../src/transport/host-settings.ts";
import { wire, type Wire, type WireSettings } from "../../src/transport/wire.ts";
import { authority, elsewhereCertificate, elsewhereKey, serverCertificate, serverKey } from "./certificates.ts";
import { answer, bodyOf, listen, type Handler, type Listening } from "./listen.ts";
import { proxyServer } from "./proxy-server.ts";
import { ask } from "./support.ts";

/** Both ways of a response: over sockets of our own, and over node:http. */
const ways = [true, false];

const secure = (handler: Handler, own = { cert: serverCertificate, key: serverKey }): Promise<Listening> =>
  listen(handler, createSecureServer(own));

const through = (proxy: URL, more: Partial<WireSettings> = {}, hosts: Record<string, HostSettings> = {}): Wire =>
  wire({
    proxyEnv: { http_proxy: proxy.href, https_proxy: proxy.href },
    settingsOf: settingsByHost({ "*": { tls: { ca: authority } }, ...hosts }),
    ...more,
  });

const read = async (net: Wire, url: string, transient: boolean): Promise<string> =>
  Buffer.from(await collect((await net(ask(url, "GET", { transient }))).body, 1e6)).toString();

describe.each(ways)("through a proxy (transient: %s)", (transient) => {
  test("plain HTTP: the whole URL is asked of it, and it is shown who we are", async () => {
    await using server = await listen((request, response) =>
      answer(response, 200, `${request.headers.host} ${request.url} ${request.headers["proxy-authorization"]}`),
    );
    await using proxy = await proxyServer();
    const url = `http://registry.example:${server.url.port}/v2/?n=1`;
    const net = through(new URL(`http://ann:p%40ss@${proxy.url.host}`));
    const told = `registry.example:${server.url.port} /v2/?n=1`;
    expect(await read(net, url, transient)).toMatch(new RegExp(`^${told.replace("?", "\\?")}`));
    expect(proxy.seen).toEqual([`GET ${url} as ann:p@ss`]);
    net.close();
  });

  test("TLS: a tunnel, in which the host proves who it is, for many requests", async () => {
    await using server = await secure((request, response) =>
      answer(response, 200, `${request.headers.host} ${request.headers["proxy-authorization"]}`),
    );
    await using proxy = await proxyServer();
    const net = through(new URL(`http://ann:s3cret@${proxy.url.host}`));
    // The certificate is for localhost, which is reached directly unless its own settings say otherwise.
    const host = `localhost:${server.url.port}`;
    const named = through(proxy.url, {}, { [host]: { proxy: `ann:s3cret@${proxy.url.host}` } });
    expect(await read(net, `https://${host}/`, transient)).toBe(`${host} undefined`);
    for (let i = 0; i < 3; i++) expect(await read(named, `https://${host}/`, transient)).toBe(`${host} undefined`);
    expect(proxy.seen).toEqual([`CONNECT ${host} as ann:s3cret`]);
    net.close();
    named.close();
  });

  test("TLS with the proxy itself, for both", async () => {
    await using plain = await listen((_, response) => answer(response, 200, "plain"));
    await using server = await secure((_, response) => answer(response, 200, "secure"));
    await using proxy = await proxyServer(createSecureServer({ cert: serverCertificate, key: serverKey }));
    const url = `https://localhost:${proxy.url.port}`;
    const net = through(new URL(url), {}, { [`localhost:${server.url.port}`]: { proxy: url } });
    expect(await read(net, `http://registry.example:${plain.url.port}/`, transient)).toBe("plain");
    expect(await read(net, `https://localhost:${server.url.port}/`, transient)).toBe("secure");
    expect(proxy.seen).toHaveLength(2);
    net.close();
    const distrustful = wire({ proxyEnv: { all_proxy: url } });
    await expect(read(distrustful, "https://registry.example/", transient)).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringMatching(
        /^registry\.example cannot be reached: the proxy localhost:\d+ has a TLS/,
      ) as string,
      proxy: new URL(url).host,
    });
    distrustful.close();
  });

  test("a certificate for another name, or of an unknown authority, is refused in a tunnel too", async () => {
    await using other = await secure((_, response) => answer(response, 200), {
      cert: elsewhereCertificate,
      key: elsewhereKey,
    });
    await using proxy = await proxyServer();
    const net = through(proxy.url);
    await expect(read(net, `https://registry.example:${other.url.port}/`, transient)).rejects.toMatchObject({
      message: `registry.example:${other.url.port} has a TLS certificate for another name`,
    });
    net.close();
    const distrustful = wire({ proxyEnv: { https_proxy: proxy.url.href } });
    await expect(read(distrustful, `https://registry.example:${other.url.port}/`, transient)).rejects.toMatchObject({
      message: expect.stringContaining("an authority that is not trusted here") as string,
      hint: `if the proxy ${proxy.url.host} looks into TLS, trust its CA certificate`,
    });
    distrustful.close();
  });

  test.each<[string, string, object]>([
    ["HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x", "wants a login (it answered 407)", { code: "DENIED" }],
    [
      "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM",
      "wants a login by NTLM, and we know Basic alone (it",
      { code: "DENIED" },
    ],
    ["HTTP/1.1 403 No", "does not let us through to it (it answered 403)", { code: "DENIED", status: 403 }],
    ["HTTP/1.1 405 No", "opens no tunnels (CONNECT) (it answered 405)", { retryable: false }],
    ["HTTP/1.1 302 No\r\nLocation: /", "did not open a tunnel to it (it answered 302)", { retryable: false }],
    ["HTTP/1.1 503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0", "could not connect to it (it answered 503 ERR_DNS_FAIL)", {}],
    ["HTTP/1.1 502 No", "could not connect to it (it answered 502)", { code: "NETWORK", retryable: true }],
    ["SSH-2.0-OpenSSH", "sent something that is not an HTTP response", { retryable: false }],
    [`HTTP/1.1 200 ${"x".repeat(40_000)}`, "sent a response whose header is too large", {}],
  ])("a proxy that answers %.40s", async (head, says, details) => {
    await using proxy = await listen(() => {});
    proxy.server.on("connect", (_, socket: Socket) => socket.on("error", () => {}).end(`${head}\r\n\r\n`));
    const net = through(proxy.url);
    await expect(read(net, "https://registry.example/v2/", transient)).rejects.toMatchObject({
      code: "NETWORK",
      host: "registry.example",
      proxy: proxy.url.host,
      message: expect.stringContaining(
        `registry.example cannot be reached: the proxy ${proxy.url.host} ${says}`,
      ) as string,
      ...details,
    });
    net.close();
  });

  test.each([407, 401])("a login that it does not accept is not shown, for TLS and without: %i", async (status) => {
    await using proxy = await listen((_, response) => answer(response, status));
    proxy.server.on("connect", (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`));
    const net = through(new URL(`http://ann:s3cret@${proxy.url.host}`));
    for (const scheme of ["http", "https"]) {
      const error: unknown = await read(net, `${scheme}://registry.example/`, transient).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({
        code: "DENIED",
        message: expect.stringContaining("does not accept the user or the password") as string,
      });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cret|YW5uOnMzY3JldA/);
    }
    net.close();
  });

  test("one that closes, is not there, or is not known", async () => {
    await using proxy = await listen(() => {});
    proxy.server.on("connect", (_, socket) => socket.destroy());
    for (const [url, says] of [
      [proxy.url.href, "broke the connection off"],
      ["http://127.0.0.1:1", "refused the connection"],
      ["http://nowhere.invalid:3128", "could not|is not known"],
    ] as const) {
      const net = through(new URL(url));
      for (const scheme of url === proxy.url.href ? ["https"] : ["https", "http"]) {
        await expect(read(net, `${scheme}://registry.example/`, transient)).rejects.toMatchObject({
          code: "NETWORK",
          message: expect.stringMatching(
            new RegExp(`^registry\\.example cannot be reached: the proxy ${new URL(url).host} (${says})`),
          ) as string,
        });
      }
      net.close();
    }
  });

  test("one that says nothing is given up in time, or when we are told to", async () => {
    await using proxy = await listen(() => {});
    const connected: Socket[] = [];
    proxy.server.on("connect", (_, socket: Socket) =>
      connected.push(socket.resume().on("end", () => socket.destroy())),
    );
    const hasty = through(proxy.url, { timeouts: { connect: 50 } });
    await expect(read(hasty, "https://registry.example/", transient)).rejects.toMatchObject({
      code: "TIMEOUT",
      message: `registry.example could not be connected to through the proxy ${proxy.url.host} within 0.05 s`,
      retryable: true,
    });
    const stop = new AbortController();
    const net = through(proxy.url);
    const sent = net(ask("https://registry.example/", "GET", { transient, signal: stop.signal }));
    sent.catch(() => {});
    await expect.poll(() => connected.length).toBe(2);
    stop.abort();
    await expect(sent).rejects.toMatchObject({ code: "ABORTED" });
    const closed = net(ask("https://registry.example/", "GET", { transient }));
    closed.catch(() => {});
    await expect.poll(() => connected.length).toBeGreaterThan(2);
    net.close();
    await expect(closed).rejects.toMatchObject({ code: "NETWORK" });
    await expect.poll(() => connected.every((socket) => socket.destroyed)).toBe(true);
  });
});

test("large bodies pass a tunnel unspoilt, up and down, many at once", async () => {
  const bytes = randomBytes(3_000_000);
  const sum = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
  await using server = await secure(async (request, response) => {
    if (request.method === "PUT") return answer(response, 201, sum(await bodyOf(request)));
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  });
  await using proxy = await proxyServer();
  const host = `localhost:${server.url.port}`;
  const net = through(proxy.url, {}, { [host]: { proxy: proxy.url.href } });
  const get = async (): Promise<string> => {
    const response = await net(ask(`https://${host}/`, "GET", { transient: true }));
    const hash = createHash("sha256");
    for await (const piece of response.body) {
      hash.update(piece);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    return hash.digest("hex");
  };
  const put = async (size: number | undefined): Promise<string> => {
    const body = { ...(size !== undefined && { size }), open: contentOf(bytes) };
    const response = await net(ask(`https://${host}/`, "PUT", { body }));
    return Buffer.from(await collect(response.body, 100)).toString();
  };
  const all = [...Array.from({ length: 8 }, get), put(bytes.length), put(undefined)];
  expect(new Set(await Promise.all(all))).toEqual(new Set([sum(bytes)]));
  expect(await get()).toBe(sum(bytes));
  expect(proxy.seen.length).toBeLessThanOrEqual(10);
  net.close();
});

test("an upload through a tunnel may be answered before its end", async () => {
  await using server = await secure((_, response) => {
    response.writeHead(413, { "content-length": 4 }).end("why?");
  });
  await using proxy = await proxyServer();
  const host = `localhost:${server.url.port}`;
  const net = through(proxy.url, {}, { [host]: { proxy: proxy.url.href } });
  const open = async (): Promise<ByteStream> =>
    (async function* () {
      for (;;) yield Buffer.alloc(64 * 1024);
    })();
  const response = await net(ask(`https://${host}/`, "PUT", { body: { size: 1024 ** 3, open } }));
  expect(response.status).toBe(413);
  expect(Buffer.from(await collect(response.body, 100)).toString()).toBe("why?");
  net.close();
});

test.each([1000, undefined])(
  "a proxy that closes after each answer and does not say so: what cannot be sent again goes over a new connection (%j)",
  async (size) => {
    const sockets = new Set<unknown>();
    await using proxy = await listen(async (request, response) => {
      sockets.add(request.socket);
      await bodyOf(request);
      answer(response, 201, "done");
      response.once("finish", () => void setImmediate(() => request.socket.destroy()));
    });
    const net = through(proxy.url);
    for (let i = 1; i <= 20; i++) {
      const body = { ...(size !== undefined && { size }), open: contentOf(Buffer.alloc(1000)) };
      const response = await net(ask("http://registry.example/v2/", "PATCH", { body, once: true, transient: true }));
      expect(Buffer.from(await collect(response.body, 100)).toString()).toBe("done");
      expect(sockets.size).toBe(i);
    }
    net.close();
  },
);

test("a registry's own 401 passes a proxy, with a login for it or without", async () => {
  await using proxy = await listen((_, response) => answer(response, 401, "", { "www-authenticate": "Basic" }));
  const net = through(new URL(`http://ann:s3cret@${proxy.url.host}`));
  expect((await net(ask("http://registry.example/v2/"))).status).toBe(401);
  net.close();
});
