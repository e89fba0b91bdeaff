import { once } from "node:events";
import { request as tlsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import type { Access } from "../../src/server/access.ts";
import { faultReply } from "../../src/server/message.ts";
import { createRegistry, type EmbeddedRegistry, type RegistryOptions } from "../../src/server/registry.ts";
import type { Listening, ListenOptions } from "../../src/server/listen.ts";
import { memoryStorage } from "../../src/server/storage/memory.ts";
import { pushBlob, sender } from "./support.ts";
import { testCertificate, testKey } from "./certificate.ts";

async function serve(
  at: ListenOptions = {},
  options: Partial<RegistryOptions> = {},
): Promise<Listening & { registry: EmbeddedRegistry }> {
  const registry = createRegistry({ storage: memoryStorage(), ...options });
  const listening = await registry.listen(at);
  onTestFinished(() => registry.close());
  return { ...listening, registry };
}

/** Opens a connection and sends a text; what comes back until the other end closes, or until a text is in it. */
async function exchange(host: string, text: string, until?: string): Promise<string> {
  const socket = connectTo(host);
  socket.write(text);
  return answerOf(socket, until);
}

function connectTo(host: string): Socket {
  const [name, port] = host.split(":");
  const socket = connect(Number(port), name);
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function answerOf(socket: Socket, until?: string): Promise<string> {
  let answer = "";
  for await (const piece of socket) {
    answer += String(piece);
    if (until !== undefined && answer.includes(until)) break;
  }
  return answer;
}

test("what is pushed over a socket is pulled over a socket", async () => {
  const { url, host } = await serve();
  expect(url).toBe(`http://${host}`);
  const blob = Buffer.alloc(5_000_000, "gantry");
  const begun = await fetch(`${url}/v2/app/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location")!, url);
  location.searchParams.set("digest", digestOf(blob));
  expect((await fetch(location, { method: "PUT", body: blob })).status).toBe(201);
  const pulled = await fetch(`${url}/v2/app/blobs/${digestOf(blob)}`);
  expect(pulled.headers.get("content-length")).toBe("5000000");
  expect(pulled.headers.get("transfer-encoding")).toBeNull();
  expect(blob.equals(Buffer.from(await pulled.arrayBuffer()))).toBe(true);
});

test("HEAD has the headers of GET and no body, and the connection stays open", async () => {
  const { host, registry } = await serve();
  const digest = await pushBlob(sender(registry.transport), "app", "0123456789");
  const head = `HEAD /v2/app/blobs/${digest} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const get = `GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const answer = await exchange(host, head + get);
  expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(answer.match(/Content-Length: 10/gi)).toHaveLength(2);
  expect(answer.match(/0123456789/g)).toHaveLength(1);
  expect(answer).toMatch(/Keep-Alive: timeout=75/i);
});

const closed: Access = {
  open: false,
  authorize: () => ({ allow: false, reply: faultReply(401, "UNAUTHORIZED", "log in") }),
};
const expecting = (host: string): string =>
  `POST /v2/app/blobs/uploads/?digest=${digestOf("hello")} HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;

test("Expect: 100-continue is answered once the caller is let in", async () => {
  const { host } = await serve();
  const socket = connectTo(host);
  socket.write(expecting(host));
  const [go] = (await once(socket, "data")) as [Buffer];
  expect(String(go)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("hello");
  expect(await answerOf(socket, "\r\n\r\n")).toMatch(/^HTTP\/1\.1 201/);
});

test("Expect: 100-continue of a stranger is answered by the refusal, and the body never asked for", async () => {
  const { host } = await serve({}, { access: closed });
  const answer = await exchange(host, expecting(host));
  expect(answer).toMatch(/^HTTP\/1\.1 401[^]*connection: close/i);
});

test("a refusal is heard even by a client that is still sending", async () => {
  const { url } = await serve({}, { access: closed });
  const answer = await fetch(`${url}/v2/app/blobs/uploads/`, { method: "POST", body: Buffer.alloc(8_000_000) });
  expect(answer.status).toBe(401);
});

test("a client that goes on sending what nobody wants is cut off", async () => {
  const { host } = await serve({}, { access: closed });
  const socket = connectTo(host);
  socket.on("error", () => {});
  socket.write(`PUT /v2/app/manifests/v1 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000000\r\n\r\n`);
  const piece = Buffer.alloc(1_000_000);
  let sent = 0;
  const more = (): void => {
    for (; !socket.destroyed && sent < 1000; sent++) if (!socket.write(piece)) break;
  };
  socket.on("drain", more).resume();
  more();
  await new Promise((resolve) => socket.once("close", resolve));
  expect(sent).toBeLessThan(100);
});

test("a broken upload leaves what came, to go on from", async () => {
  const { url, host } = await serve();
  const begun = await fetch(`${url}/v2/app/blobs/uploads/`, { method: "POST" });
  const location = begun.headers.get("location")!;
  const socket = connectTo(host);
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 10\r\n\r\n01234`);
  const range = async (): Promise<string | null> => (await fetch(url + location)).headers.get("range");
  await expect.poll(range).toBe("0-4");
  socket.destroy();
  const finish = async (): Promise<number> =>
    (await fetch(`${url}${location}?digest=${digestOf("0123456789")}`, { method: "PUT", body: "56789" })).status;
  await expect.poll(finish).toBe(201);
});

test("a connection on which nothing moves is cut: without a request, in its head, in its body", async () => {
  const { host } = await serve({ idleTimeout: 50 });
  const head = `PUT /v2/app/manifests/v1 HTTP/1.1\r\nHost: ${host}\r\n`;
  for (const text of ["", head, `${head}Content-Length: 10\r\n\r\n01`]) expect(await exchange(host, text)).toBe("");
});

test("a client that has done its part is not cut, however long the answer takes", async () => {
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
  const slow: Access = { open: false, authorize: () => decided.then(() => ({ allow: true })) };
  const { url, host } = await serve({ idleTimeout: 30 }, { access: slow });
  const answer = fetch(`${url}/v2/`);
  expect(await exchange(host, "")).toBe("");
  expect(await exchange(host, "")).toBe("");
  decide();
  expect((await answer).status).toBe(200);
});

test("it serves HTTPS", async () => {
  const { url } = await serve({ tls: { cert: testCertificate, key: testKey } });
  expect(url).toMatch(/^https:/);
  const request = tlsRequest(`${url}/v2/`, { ca: testCertificate, agent: false }).end();
  const [response] = (await once(request, "response")) as [{ statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(200);
});

test.each(["0.0.0.0", "::", "192.0.2.1", "registry.example"])(
  "open to anybody, it does not listen on %s unless told",
  async (host) => {
    const registry = createRegistry({ storage: memoryStorage() });
    await expect(registry.listen({ host })).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("127.0.0.1"),
    });
  },
);

test("told so, or with access control, it listens anywhere", async () => {
  expect((await serve({ host: "0.0.0.0", open: true })).host).toMatch(/^127\.0\.0\.1:\d+$/);
  expect((await serve({ host: "0.0.0.0" }, { access: closed })).host).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("a port that is taken is a CONFLICT that names it", async () => {
  const { host } = await serve();
  const second = createRegistry({ storage: memoryStorage() });
  const port = Number(host.split(":")[1]);
  await expect(second.listen({ port })).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining(host),
  });
});

test("closing ends idle connections at once, and waits for running requests", async () => {
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
  const access: Access = {
    open: false,
    authorize: (_, { repository }) => (repository ? decided.then(() => ({ allow: true })) : { allow: true }),
  };
  const { url, host, registry } = await serve({}, { access });
  const idle = connectTo(host);
  idle.write(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(idle, "data");
  const running = fetch(`${url}/v2/app/tags/list`);
  await expect.poll(async () => (await fetch(`${url}/v2/`)).status).toBe(200);
  const closing = registry.close();
  await once(idle.resume(), "close");
  decide();
  const answer = await running;
  expect(answer.status).toBe(404);
  expect(answer.headers.get("connection")).toBe("close");
  await answer.text();
  await closing;
  await expect(fetch(`${url}/v2/`)).rejects.toThrow();
});
