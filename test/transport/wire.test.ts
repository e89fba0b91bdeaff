import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, type ByteStream } from "../../src/oci/stream.ts";
import { discard } from "../../src/transport/transport.ts";
import { settingsByHost } from "../../src/transport/host-settings.ts";
import type { TlsSettings } from "../../src/transport/tls.ts";
import { wire } from "../../src/transport/wire.ts";
import {
  authority,
  clientCertificate,
  clientKey,
  elsewhereCertificate,
  elsewhereKey,
  serverCertificate,
  serverKey,
} from "./certificates.ts";
import { answer, bodyOf, listen } from "./listen.ts";
import { ask } from "./support.ts";

/** A server of bare sockets on a free port. */
async function listenTcp(onSocket: (socket: Socket) => void): Promise<AsyncDisposable & { readonly url: URL }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

test("a request arrives as it was meant, and its response comes back", async () => {
  await using server = await listen(async (request, response) => {
    const { method, url, headers } = request;
    const { host, "user-agent": agent, "x-a": a, "content-length": length, "transfer-encoding": encoding } = headers;
    const body = (await bodyOf(request)).toString();
    answer(response, 201, JSON.stringify({ method, url, host, agent, a, length, encoding, body }), {
      "x-b": "2",
      link: "</next>",
    });
  });
  const net = wire({ userAgent: "gantry/test" });
  const send = async (size: number | undefined): Promise<unknown> => {
    const open = async (): Promise<ByteStream> =>
      (async function* () {
        yield Buffer.from("he");
        yield Buffer.from("llo");
      })();
    const body = size === undefined ? { open } : { open, size };
    const response = await net(ask(`${server.url.href}a%20b?q=1`, "PUT", { headers: { "x-a": "1" }, body }));
    expect(response).toMatchObject({ status: 201, headers: { "x-b": "2", link: "</next>" } });
    return JSON.parse(Buffer.from(await collect(response.body, 1000)).toString());
  };
  const common = {
    method: "PUT",
    url: "/a%20b?q=1",
    host: server.url.host,
    agent: "gantry/test",
    a: "1",
    body: "hello",
  };
  expect(await send(5)).toEqual({ ...common, length: "5" });
  expect(await send(undefined)).toEqual({ ...common, encoding: "chunked" });
  net.close();
});

test.each(["POST", "PUT", "PATCH"] as const)(
  "a %s without a body says so, and one connection serves them all",
  async (method) => {
    const sockets = new Set<unknown>();
    await using server = await listen((request, response) => {
      sockets.add(request.socket);
      answer(response, request.headers["content-length"] === "0" ? 202 : 411);
    });
    const net = wire();
    for (let i = 0; i < 3; i++) expect((await net(ask(server.url.href, method))).status).toBe(202);
    expect((await net(ask(server.url.href, "DELETE"))).status).toBe(411);
    expect(sockets.size).toBe(1);
    net.close();
  },
);

describe("errors", () => {
  test("a refused connection names the host and a way out", async () => {
    let url = new URL("http://127.0.0.1/");
    {
      await using server = await listen(() => {});
      url = server.url;
    }
    await expect(wire()(ask(url.href))).rejects.toMatchObject({
      code: "NETWORK",
      message: `${url.host} refused the connection`,
      host: url.host,
      retryable: true,
      hint: expect.stringContaining("port") as string,
    });
  });

  test("an unknown name will not be known later", async () => {
    await expect(wire()(ask("http://nowhere.invalid/"))).rejects.toMatchObject({
      code: "NETWORK",
      host: "nowhere.invalid",
    });
  });

  test("a server that breaks off, or sends what is no HTTP", async () => {
    await using broken = await listenTcp((socket) => void socket.once("data", () => socket.destroy()));
    await expect(wire()(ask(broken.url.href))).rejects.toMatchObject({ code: "NETWORK", retryable: true });
    await using mail = await listenTcp((socket) => void socket.write("220 mail.example ESMTP\r\n"));
    await expect(wire()(ask(mail.url.href))).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining("not an HTTP response") as string,
      retryable: false,
    });
  });

  test("a response that is cut off says how far it came", async () => {
    await using server = await listenTcp((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"));
    });
    const response = await wire()(ask(server.url.href));
    await expect(collect(response.body, 100)).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining("after 5 of 10 bytes") as string,
      retryable: true,
    });
  });

  test("a header without end is refused", async () => {
    await using server = await listenTcp(
      (socket) => void socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}`)),
    );
    await expect(wire()(ask(server.url.href))).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining("too large") as string,
    });
  });

  test("who does not answer, or stops, is given up in time", async () => {
    await using server = await listenTcp((socket) => {
      socket.once("data", (head) => {
        if (head.includes("/half")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      });
    });
    const net = wire({ timeouts: { answer: 30, idle: 30 } });
    await expect(net(ask(server.url.href))).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
    const half = await net(ask(`${server.url.href}half`));
    await expect(collect(half.body, 100)).rejects.toMatchObject({ code: "TIMEOUT" });
    net.close();
  });

  test.each([true, false])("who does not even greet is given up too (transient: %s)", async (transient) => {
    await using server = await listenTcp(() => {});
    const sent = wire({ timeouts: { connect: 30 } })(ask(`https://${server.url.host}/`, "GET", { transient }));
    await expect(sent).rejects.toMatchObject({
      code: "TIMEOUT",
      message: `${server.url.host} could not be connected to within 0.03 s`,
    });
  });

  test("a header that could carry another is refused before anything is sent, and not shown", async () => {
    const sent = wire()(ask("http://127.0.0.1:1/", "GET", { headers: { "x-a": "secret\r\nx-b: 2" } }));
    await expect(sent).rejects.toMatchObject({
      code: "INVALID",
      message: expect.not.stringContaining("secret") as string,
    });
  });
});

describe("abort", () => {
  test("before, while waiting, and while reading", async () => {
    await using server = await listen((request, response) => {
      if (request.url === "/never") return;
      response.writeHead(200, { "content-length": 1_000_000 }).write(Buffer.alloc(500_000));
    });
    const net = wire();
    await expect(net(ask(server.url.href, "GET", { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: "ABORTED",
    });

    const waiting = new AbortController();
    const arrived = once(server.server, "request");
    const never = net(ask(`${server.url.href}never`, "GET", { signal: waiting.signal }));
    never.catch(() => {});
    await arrived;
    waiting.abort();
    await expect(never).rejects.toMatchObject({ code: "ABORTED" });

    const reading = new AbortController();
    const response = await net(ask(server.url.href, "GET", { signal: reading.signal }));
    const pieces = response.body[Symbol.asyncIterator]();
    await pieces.next();
    reading.abort();
    const rest = async (): Promise<void> => {
      while (!(await pieces.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: "ABORTED" });
    net.close();
  });
});

describe("uploads", () => {
  const endless = (onReturn: () => void): ByteStream =>
    (async function* () {
      try {
        for (;;) yield Buffer.alloc(64 * 1024);
      } finally {
        onReturn();
      }
    })();

  // Bodies of unknown size take the way over node:http.
  test.each([
    [413, "known", 1024 ** 3],
    [413, "unknown", undefined],
    [401, "known", 1024 ** 3],
    [401, "unknown", undefined],
  ])("an answer before the end of the body is the answer: %i, its size is %s", async (status, _, size) => {
    await using server = await listenTcp((socket) => {
      socket.once("data", () =>
        socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwhy?`),
      );
    });
    let given = 0;
    const body = { ...(size !== undefined && { size }), open: async () => endless(() => given++) };
    const response = await wire()(ask(server.url.href, "PUT", { body }));
    expect(response.status).toBe(status);
    expect(Buffer.from(await collect(response.body, 100)).toString()).toBe("why?");
    await expect.poll(() => given).toBe(1);
  });

  test("after such an answer, over a connection that is kept, the next request takes another", async () => {
    const sockets: unknown[] = [];
    await using server = await listen((request, response) => {
      sockets.push(request.socket);
      answer(response, request.method === "PUT" ? 413 : 200, "why?");
    });
    const net = wire();
    const body = { size: 1024 ** 3, open: async () => endless(() => {}) };
    expect((await collect((await net(ask(server.url.href, "PUT", { body }))).body, 100)).length).toBe(4);
    expect((await net(ask(server.url.href, "HEAD"))).status).toBe(200);
    expect(new Set(sockets).size).toBe(2);
    net.close();
  });

  test.each([10_000_000, undefined])(
    "a piece is not asked for before the one before it has left (%j bytes)",
    async (size) => {
      await using server = await listen(async (request, response) =>
        answer(response, 200, `${(await bodyOf(request)).equals(wanted)}`),
      );
      const wanted = Buffer.concat(Array.from({ length: 200 }, (_, i) => Buffer.alloc(50_000, i)));
      const reused = Buffer.alloc(50_000);
      const open = async (): Promise<ByteStream> =>
        (async function* () {
          for (let i = 0; i < 200; i++) yield reused.fill(i);
        })();
      const net = wire();
      const body = { ...(size !== undefined && { size }), open };
      const response = await net(ask(server.url.href, "PUT", { body }));
      expect(Buffer.from(await collect(response.body, 10)).toString()).toBe("true");
      net.close();
    },
  );

  test.each([
    ["shorter", 6, "5 bytes instead of 6"],
    ["longer", 4, "more bytes instead of 4"],
  ])("a body %s than it says is an error", async (_, size, message) => {
    await using server = await listen(async (request, response) => {
      await bodyOf(request).catch(() => {});
      answer(response, 200);
    });
    const open = async (): Promise<ByteStream> =>
      (async function* () {
        yield Buffer.from("hello");
      })();
    const sent = wire()(ask(server.url.href, "PUT", { body: { size, open } }));
    await expect(sent).rejects.toMatchObject({
      code: "SIZE_INVALID",
      message: expect.stringContaining(message) as string,
    });
  });

  test("what the body throws is thrown, not what it did to the connection", async () => {
    await using server = await listen((request) => void request.on("error", () => {}).resume());
    const failure = new RegistryError("UNVERIFIED", "corrupt", { side: "source" });
    const open = async (): Promise<ByteStream> =>
      (async function* () {
        yield Buffer.from("hello");
        throw failure;
      })();
    await expect(wire()(ask(server.url.href, "PUT", { body: { size: 10, open } }))).rejects.toBe(failure);
    const foreign = Object.assign(new Error("no such file"), { code: "ECONNRESET" });
    await expect(wire()(ask(server.url.href, "PUT", { body: { open: () => Promise.reject(foreign) } }))).rejects.toBe(
      foreign,
    );
    const unopened = wire()(ask(server.url.href, "PUT", { body: { size: 10, open: () => Promise.reject(failure) } }));
    await expect(unopened).rejects.toBe(failure);
  });
});

describe("kept connections", () => {
  test.each([5, undefined])(
    "one that the server has given up is replaced, and the body opened again (%j bytes)",
    async (size) => {
      let requests = 0;
      await using server = await listen(async (request, response) => {
        requests++;
        if (requests === 2) response.socket!.destroy();
        else answer(response, 200, (await bodyOf(request)).toString());
      });
      const net = wire();
      let opened = 0;
      const open = async (): Promise<ByteStream> =>
        (async function* () {
          opened++;
          yield Buffer.from("hello");
        })();
      const put = async (): Promise<string> => {
        const body = { ...(size !== undefined && { size }), open };
        const response = await net(ask(server.url.href, "PUT", { body }));
        return Buffer.from(await collect(response.body, 10)).toString();
      };
      expect([await put(), await put()]).toEqual(["hello", "hello"]);
      expect({ requests, opened }).toEqual({ requests: 3, opened: 3 });
      net.close();
    },
  );

  test("what is marked once is not sent again", async () => {
    let requests = 0;
    await using server = await listen((_, response) => {
      if (++requests === 2) response.socket!.destroy();
      else answer(response, 200);
    });
    const net = wire();
    await net(ask(server.url.href, "PATCH"));
    await expect(net(ask(server.url.href, "PATCH", { once: true }))).rejects.toMatchObject({
      code: "NETWORK",
      retryable: true,
    });
    expect(requests).toBe(2);
    net.close();
  });

  test("a small body that is given up leaves its connection usable", async () => {
    const sockets = new Set<unknown>();
    await using server = await listen((request, response) => {
      sockets.add(request.socket);
      answer(response, 401, "x".repeat(20_000));
    });
    const net = wire();
    for (let i = 0; i < 3; i++) await discard(await net(ask(server.url.href)));
    expect(sockets.size).toBe(1);
    net.close();
  });

  test("closing the wire ends them", async () => {
    await using server = await listen((_, response) => answer(response, 200, "hello"));
    const net = wire();
    const ended = new Promise((resolve) => server.server.once("connection", (socket) => socket.once("close", resolve)));
    await collect((await net(ask(server.url.href))).body, 10);
    net.close();
    await ended;
  });
});

describe("TLS", () => {
  const secure = (options: object): ReturnType<typeof listen> =>
    listen(
      (_, response) => answer(response, 200, "hello"),
      createSecureServer({ cert: serverCertificate, key: serverKey, ...options }),
    );
  const read = async (url: URL, tls: Readonly<Record<string, TlsSettings>>, transient: boolean): Promise<string> => {
    const hosts = Object.entries(tls).map(([host, settings]) => [host, { tls: settings }] as const);
    const net = wire({ settingsOf: settingsByHost(Object.fromEntries(hosts)) });
    try {
      const response = await net(ask(url.href, "GET", { transient }));
      return Buffer.from(await collect(response.body, 100)).toString();
    } finally {
      net.close();
    }
  };

  test.each([true, false])("an authority of one's own, for one host or for all (transient: %s)", async (transient) => {
    await using server = await secure({});
    expect(await read(server.url, { [server.url.host]: { ca: authority } }, transient)).toBe("hello");
    expect(await read(server.url, { "*": { ca: authority } }, transient)).toBe("hello");
    expect(await read(server.url, { "*": { rejectUnauthorized: false } }, transient)).toBe("hello");
    await expect(read(server.url, { "other.example": { ca: authority } }, transient)).rejects.toMatchObject({
      code: "NETWORK",
      message: `${server.url.host} has a TLS certificate from an authority that is not trusted here`,
      retryable: false,
    });
  });

  test.each([true, false])(
    "settings that are no certificates are the user's to mend (transient: %s)",
    async (transient) => {
      const url = new URL("https://registry.example/");
      await expect(
        read(url, { "registry.example": { ca: "nonsense", cert: "s3cret", key: "s3cret" } }, transient),
      ).rejects.toMatchObject({
        code: "INVALID",
        message: expect.stringMatching(/^the TLS settings for registry\.example are not right: (?!.*s3cret)/) as string,
      });
    },
  );

  test.each([true, false])("a certificate for another name (transient: %s)", async (transient) => {
    await using server = await secure({ cert: elsewhereCertificate, key: elsewhereKey });
    await expect(read(server.url, { "*": { ca: authority } }, transient)).rejects.toMatchObject({
      message: `${server.url.host} has a TLS certificate for another name`,
      retryable: false,
    });
  });

  test.each([true, false])("a client certificate goes to who asks for it (transient: %s)", async (transient) => {
    await using server = await secure({
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority,
      minVersion: "TLSv1.3",
    });
    const own = { ca: authority, cert: clientCertificate, key: clientKey };
    expect(await read(server.url, { [server.url.host]: own }, transient)).toBe("hello");
    await expect(read(server.url, { [server.url.host]: { ca: authority } }, transient)).rejects.toMatchObject({
      code: "NETWORK",
    });
  });

  test.each([true, false])("plain HTTP where TLS was meant (transient: %s)", async (transient) => {
    await using server = await listen((_, response) => answer(response, 200));
    await expect(read(new URL(`https://${server.url.host}/`), {}, transient)).rejects.toMatchObject({
      code: "NETWORK",
      message: `${server.url.host} does not speak TLS`,
      hint: expect.stringContaining("insecure") as string,
    });
  });
});
