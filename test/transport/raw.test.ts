import { settingsByHost } from "../../src/transport/host-settings.ts";
import { createHash, hash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collect, type ByteStream } from "../../src/oci/stream.ts";
import { discard, type Res } from "../../src/transport/transport.ts";
import { wire, type Wire } from "../../src/transport/wire.ts";
import { authority, serverCertificate, serverKey } from "./certificates.ts";
import { bodyOf, listen, type Handler, type Listening } from "./listen.ts";

const settingsOf = settingsByHost({ "*": { tls: { ca: authority } } });

function get(net: Wire, url: URL, signal?: AbortSignal): Promise<Res> {
  return net({ method: "GET", url, headers: {}, transient: true, ...(signal && { signal }) });
}

const kinds: Record<string, (handler: Handler) => Promise<Listening>> = {
  http: (handler) => listen(handler, createServer()),
  https: (handler) => listen(handler, createSecureServer({ cert: serverCertificate, key: serverKey })),
};

describe.each(["http", "https"])("over %s", (kind) => {
  const start = kinds[kind]!;

  test("a HEAD, a small answer, an empty one and a large one come over one connection, each its own bytes", async () => {
    const connections = new Set<unknown>();
    const large = randomBytes(100_000);
    const bodies: Record<string, Buffer> = {
      "/small": Buffer.from("small"),
      "/empty": Buffer.alloc(0),
      "/large": large,
    };
    await using server = await start((request, response) => {
      connections.add(request.socket);
      const body = bodies[request.url!]!;
      response.writeHead(request.url === "/empty" ? 404 : 200, { "content-length": body.length });
      response.end(request.method === "HEAD" ? undefined : body);
    });
    const net = wire({ settingsOf });
    const kept: Uint8Array[] = [];
    for (const path of ["/small", "/empty", "/large", "/small", "/large"]) {
      const url = new URL(path, server.url);
      const head = await net({ method: "HEAD", url, headers: {} });
      expect(head.headers["content-length"]).toBe(`${bodies[path]!.length}`);
      expect(await collect(head.body, 0)).toHaveLength(0);
      kept.push(await collect((await get(net, url)).body, large.length));
    }
    net.close();
    expect(kept.map((bytes) => bytes.length)).toEqual([5, 0, 100_000, 5, 100_000]);
    expect(sha256(kept[4]!)).toBe(sha256(large));
    expect(Buffer.from(kept[0]!).toString()).toBe("small");
    expect(connections.size).toBe(1);
  });

  test("many bodies sent at once, in pieces that are used again, arrive as they are, over connections that serve again", async () => {
    const connections = new Set<unknown>();
    await using server = await start(async (request, response) => {
      connections.add(request.socket);
      const hash = sha256(await bodyOf(request));
      response.writeHead(201, { "content-length": hash.length }).end(hash);
    });
    const net = wire({ settingsOf });
    const send = async (number: number): Promise<void> => {
      const bytes = randomBytes(number * number * 1500);
      const piece = Buffer.alloc(65_536);
      const open = async (): Promise<ByteStream> =>
        (async function* () {
          for (let at = 0; at < bytes.length; at += piece.length) {
            yield piece.subarray(0, bytes.copy(piece, 0, at));
          }
        })();
      const body = { size: bytes.length, open };
      const response = await net({ method: "PUT", url: server.url, headers: {}, body });
      expect(Buffer.from(await collect(response.body, 100)).toString()).toBe(sha256(bytes));
    };
    const numbers = Array.from({ length: 60 }, (_, i) => i % 30).values();
    const worker = async (): Promise<void> => {
      for (const number of numbers) await send(number);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    net.close();
    expect(connections.size).toBe(8);
  });

  test("many slow readers at once each get their own bytes, and connections serve again", async () => {
    const blobs = new Map(Array.from({ length: 40 }, (_, i) => [`/${i}`, randomBytes(i * i * 1500)]));
    const connections = new Set<unknown>();
    await using server = await start((request, response) => {
      connections.add(request.socket);
      const blob = blobs.get(request.url!)!;
      const isChunked = Number(request.url!.slice(1)) % 2 === 1;
      response.writeHead(200, isChunked ? {} : { "content-length": blob.length });
      for (let at = 0; at < blob.length; at += 70_000) response.write(blob.subarray(at, at + 70_000));
      response.end();
    });
    const net = wire({ settingsOf });
    const read = async (path: string): Promise<string> => {
      const response = await get(net, new URL(path, server.url));
      const state = createHash("sha256");
      let turn = path.length;
      for await (const piece of response.body) {
        const before = sha256(piece);
        if (turn++ % 3 === 0) await setTimeout(1);
        else await setImmediate();
        expect(sha256(piece)).toBe(before);
        state.update(piece);
      }
      return state.digest("hex");
    };
    const wanted = (path: string): string => sha256(blobs.get(path)!);
    const worker = async (paths: IterableIterator<string>): Promise<void> => {
      for (const path of paths) expect(await read(path)).toBe(wanted(path));
    };
    const paths = [...blobs.keys(), ...blobs.keys()].values();
    await Promise.all(Array.from({ length: 16 }, () => worker(paths)));
    net.close();
    expect(connections.size).toBeLessThanOrEqual(16);
  });

  test("what is read is sent on unspoilt, many at once, while others break off", async () => {
    const blobs = new Map(Array.from({ length: 16 }, (_, i) => [`/${i}`, randomBytes(700_000 + i * 150_000)]));
    const arrived = new Map<string, string>();
    await using from = await start((request, response) => response.end(blobs.get(request.url!.replace("?broken", ""))));
    await using to = await start(async (request, response) => {
      const bytes = await bodyOf(request).catch(() => undefined);
      if (bytes) arrived.set(request.url!, sha256(bytes));
      response.end();
    });
    const net = wire({ settingsOf });
    const relay = async (path: string, breaks: boolean): Promise<void> => {
      const open = async (): Promise<ByteStream> => {
        const { body } = await get(net, new URL(path, from.url));
        return breaks ? failing(body) : body;
      };
      await net({ method: "PUT", url: new URL(path, to.url), headers: {}, body: { open } });
    };
    const paths = [...blobs.keys()];
    const broken = paths.slice(0, 6).map((path) => relay(`${path}?broken`, true));
    await Promise.all([
      ...paths.map((path) => relay(path, false)),
      ...broken.map((one) => expect(one).rejects.toThrow("enough")),
    ]);
    for (const path of paths) expect(arrived.get(path)).toBe(sha256(blobs.get(path)!));
    net.close();
  });

  test("an aborted read ends at once, and spoils no other", async () => {
    const blob = randomBytes(3_000_000);
    await using server = await start((_, response) =>
      response.writeHead(200, { "content-length": blob.length }).end(blob),
    );
    const net = wire({ settingsOf });
    const abandon = async (): Promise<void> => {
      const controller = new AbortController();
      const response = await get(net, server.url, controller.signal);
      const pieces = response.body[Symbol.asyncIterator]();
      await pieces.next();
      controller.abort();
      const rest = async (): Promise<void> => {
        while (!(await pieces.next()).done);
      };
      await expect(rest()).rejects.toMatchObject({ code: "ABORTED" });
    };
    const whole = async (): Promise<void> => {
      const response = await get(net, server.url);
      expect(Buffer.compare(await collect(response.body, blob.length), blob)).toBe(0);
    };
    await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? whole() : abandon())));
    net.close();
  });

  test("a body that is given up frees or ends its connection", async () => {
    let requests = 0;
    await using server = await start((_, response) => {
      requests++;
      response.end(Buffer.alloc(requests === 1 ? 30_000 : 3_000_000));
    });
    const net = wire({ settingsOf });
    await discard(await get(net, server.url));
    await discard(await get(net, server.url));
    await discard(await get(net, server.url));
    expect(requests).toBe(3);
    net.close();
  });
});

function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes);
}

/** Gives two pieces, then fails. */
async function* failing(stream: ByteStream): AsyncGenerator<Uint8Array, void> {
  let count = 0;
  for await (const piece of stream) {
    yield piece;
    if (++count === 2) throw new Error("enough");
  }
}

/** A server that answers each connection's first bytes with a text, in the given portions, and then closes it if told. */
async function rawServer(
  text: string,
  close: boolean,
  cuts: readonly number[] = [text.length],
): Promise<AsyncDisposable & { readonly url: URL }> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => void dribble(socket));
  });
  const dribble = async (socket: Socket): Promise<void> => {
    let at = 0;
    for (let i = 0; at < text.length; i++) {
      const end = at + cuts[i % cuts.length]!;
      socket.write(text.slice(at, end), "latin1");
      at = end;
      await setImmediate();
    }
    if (close) socket.end();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

async function readAll(url: URL): Promise<{ status: number; text: string }> {
  const net = wire({ timeouts: { connect: 2000, answer: 2000, idle: 2000 } });
  try {
    const response = await get(net, url);
    return { status: response.status, text: Buffer.from(await collect(response.body, 1_000_000)).toString() };
  } finally {
    net.close();
  }
}

test("a response reads the same however the network cuts it up", async () => {
  const texts = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
  ];
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...texts), cuts, async (text, portions) => {
      await using server = await rawServer(text, false, portions);
      expect(await readAll(server.url)).toEqual({ status: 200, text: "hello world" });
    }),
    { numRuns: 30 },
  );
});

test.each([
  ["until the connection closes", "HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello"],
  ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"],
  ["of no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
  ["of nothing new", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""],
  ["of length 0", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, ""],
])("a body %s is understood", async (_, text, status, body) => {
  await using server = await rawServer(text, true);
  expect(await readAll(server.url)).toEqual({ status, text: body });
});

test.each([
  ["cut off in its body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", /after 5 of 10 bytes/, true],
  ["cut off in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", /after 5 bytes/, true],
  ["cut off in its head", "HTTP/1.1 200 OK\r\nConte", /broke the connection off/, true],
  ["of nothing at all", "", /broke the connection off/, true],
  ["that is not HTTP", "220 mail.example ESMTP\r\n", /malformed response: it is not HTTP/, false],
  ["with a malformed header", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", /a header is malformed/, false],
  [
    "with a malformed chunk",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    /a chunk has no size/,
    false,
  ],
  ["with an endless header", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(8000)}`, /header is too large/, false],
  ["with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", /both/, false],
])("a response %s is a NETWORK error", async (_, text, message, retryable) => {
  await using server = await rawServer(text, true);
  await expect(readAll(server.url)).rejects.toMatchObject({
    code: "NETWORK",
    host: server.url.host,
    retryable,
    message: expect.stringMatching(message) as string,
  });
});

test("a server that says nothing more is given up", async () => {
  await using server = await rawServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", false);
  const net = wire({ timeouts: { idle: 30 } });
  const response = await get(net, server.url);
  await expect(collect(response.body, 100)).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
  net.close();
});

test("a kept connection that the server has given up is replaced without a word", async () => {
  let requests = 0;
  await using server = await listen((_, response) => {
    requests++;
    if (requests === 2) response.socket!.destroy();
    else response.end("hello");
  });
  const net = wire();
  const read = async (): Promise<string> =>
    Buffer.from(await collect((await get(net, server.url)).body, 10)).toString();
  expect(await read()).toBe("hello");
  expect(await read()).toBe("hello");
  expect(requests).toBe(3);
  net.close();
});

test("nothing is sent to a server whose certificate is not trusted", async () => {
  let requests = 0;
  await using server = await kinds["https"]!((_, response) => {
    requests++;
    response.end();
  });
  const net = wire();
  await expect(get(net, server.url)).rejects.toMatchObject({
    code: "NETWORK",
    retryable: false,
    hint: expect.stringMatching(/CA certificate/),
  });
  expect(requests).toBe(0);
});
