import { createServer as createSecureServer } from "node:https";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { collect } from "../../src/oci/stream.ts";
import { settingsByHost, type HostSettings } from "../../src/transport/host-settings.ts";
import { redirect } from "../../src/transport/redirect.ts";
import { compose, type Req } from "../../src/transport/transport.ts";
import { wire, type Wire } from "../../src/transport/wire.ts";
import { authority, elsewhereCertificate, elsewhereKey, serverCertificate, serverKey } from "./certificates.ts";
import { answer, listen, type Listening } from "./listen.ts";
import { ask } from "./support.ts";

const ways = [true, false];
const withHosts = (hosts: Record<string, HostSettings>): Wire => wire({ settingsOf: settingsByHost(hosts) });
const read = async (net: Wire, url: string, more: Partial<Req> = {}): Promise<string> =>
  Buffer.from(await collect((await net(ask(url, "GET", more))).body, 10_000)).toString();

describe.each(ways)("an address instead of what DNS says (transient: %s)", (transient) => {
  const trusted = { tls: { ca: authority } };

  test("the certificate and the Host header stay the host's", async () => {
    await using server = await listen(
      (request, response) => answer(response, 200, `${request.headers.host}`),
      createSecureServer({ cert: elsewhereCertificate, key: elsewhereKey }),
    );
    const host = `elsewhere.example:${server.url.port}`;
    const net = withHosts({
      "*": trusted,
      [host]: { address: "127.0.0.1" },
      "other.example": { address: "127.0.0.1" },
    });
    expect(await read(net, `https://${host}/`, { transient })).toBe(host);
    net.close();
    const misled = withHosts({ "*": { ...trusted, address: "127.0.0.1" } });
    await expect(read(misled, `https://other.example:${server.url.port}/`, { transient })).rejects.toMatchObject({
      message: `other.example:${server.url.port} has a TLS certificate for another name`,
    });
    // An address as the host's own name is what the certificate has to be for.
    await expect(read(misled, `https://192.0.2.7:${server.url.port}/`, { transient })).rejects.toMatchObject({
      message: `192.0.2.7:${server.url.port} has a TLS certificate for another name`,
    });
    misled.close();
  });

  test("the server is told the host's name, and none where that is an address", async () => {
    const names: unknown[] = [];
    const secure = createSecureServer({ cert: serverCertificate, key: serverKey });
    secure.on("secureConnection", ({ servername }: { servername: unknown }) => names.push(servername));
    await using server = await listen((_, response) => answer(response, 200, "hello"), secure);
    const net = withHosts({ "*": trusted, [`localhost:${server.url.port}`]: { address: "127.0.0.1" } });
    expect(await read(net, `https://localhost:${server.url.port}/`, { transient })).toBe("hello");
    expect(await read(net, `https://127.0.0.1:${server.url.port}/`, { transient })).toBe("hello");
    expect(names).toEqual(["localhost", false]);
    net.close();
  });

  test("IPv6, with brackets and without", async (context) => {
    const server = createServer((request, response) => answer(response, 200, `${request.headers.host}`));
    const listening = await new Promise<boolean>((resolve) =>
      server.once("error", () => resolve(false)).listen(0, "::1", () => resolve(true)),
    );
    context.skip(!listening, "this machine has no IPv6");
    const { port } = server.address() as AddressInfo;
    const net = withHosts({ [`a.example:${port}`]: { address: "::1" }, [`b.example:${port}`]: { address: "[::1]" } });
    for (const host of [`a.example:${port}`, `b.example:${port}`, `[::1]:${port}`])
      expect(await read(net, `http://${host}/`, { transient })).toBe(host);
    net.close();
    server.close();
  });

  test("what is no address is the user's to mend", async () => {
    const net = withHosts({ "registry.example": { address: "mirror.example" } });
    await expect(read(net, "https://registry.example/", { transient })).rejects.toMatchObject({
      code: "INVALID",
      message: 'the address for registry.example is "mirror.example", which is no IP address',
    });
  });
});

describe.each(ways)("headers (transient: %s)", (transient) => {
  const echo = (): Promise<Listening> =>
    listen(({ headers }, response) =>
      answer(response, 200, [headers["x-pass"], headers["user-agent"]].map(String).join(" ")),
    );

  test("go with each request to their host, a redirect's target gets none of them", async () => {
    await using storage = await echo();
    await using registry = await listen(({ headers, url }, response) =>
      url === "/away"
        ? answer(response, 307, "", { location: storage.url.href.replace("127.0.0.1", "localhost") })
        : answer(response, 200, String(headers["x-pass"])),
    );
    for (const [key, anonymous] of [
      [registry.url.host, "s3cret"],
      ["*", "undefined"],
    ] as const) {
      const net = withHosts({ [key]: { headers: { "X-Pass": "s3cret" } } });
      expect(await read(net, registry.url.href, { transient })).toBe("s3cret");
      expect(await read(net, registry.url.href, { transient, anonymous: true })).toBe(anonymous);
      const led = await compose(net, redirect())(ask(`${registry.url.href}away`, "GET", { transient }));
      expect(Buffer.from(await collect(led.body, 1000)).toString()).toBe("undefined undefined");
      net.close();
    }
  });

  test("what a request says itself goes before", async () => {
    await using server = await echo();
    const net = withHosts({ "*": { headers: { "x-pass": "a", "User-Agent": "b" } } });
    expect(await read(net, server.url.href, { transient, headers: { "x-pass": "c" } })).toBe("c b");
    net.close();
  });

  test.each([
    ["Authorization", "Basic s3cret", "the header Authorization cannot be set"],
    ["content-length", "3", "the header content-length cannot be set"],
    ["Host", "s3cret.example", "the header Host cannot be set"],
    ["X-A", "s3cret\r\nX-B: 1", "the value of the header X-A has characters"],
    ["X A", "s3cret", '"X A" is not a header\'s name'],
    ["X-A:", "s3cret", "is not a header's name"],
    ["", "s3cret", "is not a header's name"],
  ])("%j: %j is refused, and the value not shown", async (name, value, message) => {
    const net = withHosts({ "registry.example": { headers: { [name]: value } } });
    const sent = read(net, "https://registry.example/", { transient });
    await expect(sent).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/^the settings for registry\.example are not right: (?!.*s3cret)/) as string,
    });
    await expect(sent).rejects.toThrow(message);
  });
});

describe.each(ways)("time (transient: %s)", (transient) => {
  test("each host has its own patience", async () => {
    const sockets = new Set<Socket>();
    await using server = await listen(({ url }, response) => {
      if (url === "/half") response.writeHead(200, { "content-length": 10 }).write("hello");
    });
    server.server.on("connection", (socket: Socket) => sockets.add(socket));
    const { host } = server.url;
    const net = withHosts({ "*": { timeouts: { answer: 60_000 } }, [host]: { timeouts: { answer: 50, idle: 70 } } });
    await expect(read(net, server.url.href, { transient })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: `${host} did not answer within 0.05 s`,
    });
    await expect(read(net, `${server.url.href}half`, { transient })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: `${host} sent nothing more within 0.07 s`,
    });
    await expect.poll(() => [...sockets].every((socket) => socket.destroyed)).toBe(true);
    net.close();
  });

  test("who trickles a head without end is given up: what counts is when it is complete", async () => {
    await using server = await listen(() => {});
    server.server.on("connection", (socket: Socket) => {
      const timer = setInterval(() => socket.write("X-A: b\r\n"), 10);
      socket.on("error", () => {}).on("close", () => clearInterval(timer));
      socket.write("HTTP/1.1 200 OK\r\n");
    });
    const net = withHosts({ "*": { timeouts: { answer: 200 } } });
    await expect(read(net, server.url.href, { transient })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: `${server.url.host} did not answer within 0.2 s`,
    });
    net.close();
  });

  test("a connection that nobody uses is closed when its time is over, and one that is used is not", async () => {
    const sockets: Socket[] = [];
    await using server = await listen((_, response) => answer(response, 200, "hello"));
    server.server.on("connection", (socket: Socket) => sockets.push(socket));
    const net = withHosts({ [server.url.host]: { maxIdle: 400 } });
    for (let i = 0; i < 5; i++) await read(net, server.url.href, { transient });
    expect(sockets).toHaveLength(1);
    await expect.poll(() => sockets[0]!.destroyed).toBe(true);
    await read(net, server.url.href, { transient });
    expect(sockets).toHaveLength(2);
    net.close();
    const none = withHosts({ "*": { maxIdle: 0 } });
    await read(none, server.url.href, { transient });
    await read(none, server.url.href, { transient });
    expect(sockets).toHaveLength(4);
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
    none.close();
  });
});

test("a User-Agent that could carry another header is refused", async () => {
  await expect(wire({ userAgent: "x\r\ny: z" })(ask("http://127.0.0.1:1/"))).rejects.toMatchObject({
    code: "INVALID",
    message: "the header user-agent has characters that HTTP has no place for",
  });
});
