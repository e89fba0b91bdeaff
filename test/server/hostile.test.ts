import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import type { ServerEvent } from "../../src/server/events.ts";
import type { Listening } from "../../src/server/listen.ts";
import { createRegistry, type EmbeddedRegistry } from "../../src/server/registry.ts";
import { memoryStorage } from "../../src/server/storage/memory.ts";
import { pushImage, sender } from "./support.ts";

let registry: EmbeddedRegistry;
let listening: Listening;
const failures: ServerEvent[] = [];

beforeAll(async () => {
  const onEvent = (event: ServerEvent): void => void (event.type === "failed" && failures.push(event));
  registry = createRegistry({ storage: memoryStorage(), onEvent });
  listening = await registry.listen();
  await pushImage(sender(registry.transport), "app", "latest");
});
afterAll(() => registry.close());

/** Sends bytes as they are, without a client that would tidy them up; the status of the first answer, 0 if there is none. */
function statusOf(raw: string): Promise<number> {
  const [name, port] = listening.host.split(":");
  const { promise, resolve } = Promise.withResolvers<number>();
  let answer = "";
  const socket = connect(Number(port), name)
    .on("data", (piece: Buffer) => {
      answer += piece.toString("latin1");
      if (answer.includes("\r\n\r\n")) socket.destroy();
    })
    .on("error", () => {})
    .on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)));
  socket.write(raw, "latin1");
  return promise;
}

const get = (target: string, headers = "", method = "GET"): Promise<number> =>
  statusOf(`${method} ${target} HTTP/1.1\r\nHost: ${listening.host}\r\n${headers}\r\n`);

const names = [
  ["..", 400],
  [".", 400],
  ["a/../b", 400],
  ["../../etc/passwd", 400],
  ["%2e%2e%2f%2e%2e%2fetc", 400],
  ["a%2Fb", 400],
  ["a%00", 400],
  ["a\\..\\b", 400],
  ["a//b", 400],
  ["/a", 400],
  ["UPPER", 400],
  ["-a", 400],
  ["a-", 400],
  ["a..b", 400],
  ["a___b", 400],
  ["ünïcode", 400],
  ["_uploads", 400],
  ["a".repeat(256), 400],
  [`${"a/".repeat(5000)}a`, 400],
  // Legal, if odd: words of the API and device names are names like any other.
  ["blobs", 404],
  ["manifests/tags", 404],
  ["referrers/uploads/blobs", 404],
  ["con", 404],
  ["nul/aux", 404],
  ["__proto__", 400],
  ["constructor", 404],
] as const;

describe("the repository name", () => {
  test.each(names)("%s is %i", async (name, status) => {
    expect(await get(`/v2/${name}/tags/list`)).toBe(status);
    expect(await get(`/v2/${name}/manifests/latest`)).toBe(status);
    expect(await get(`/v2/${name}/blobs/${digestOf("x")}`)).toBe(status);
    if (status === 400) expect(await get(`/v2/${name}/blobs/uploads/`, "Content-Length: 0\r\n", "POST")).toBe(400);
  });
});

test.each([
  ["/", 404],
  ["*", 404],
  ["/v2", 200],
  ["/v2/", 200],
  ["/v2?x=y", 200],
  ["/v1/", 404],
  ["/v20/", 404],
  ["/v2//", 404],
  ["/v2/app", 404],
  ["/v2/app/", 404],
  ["/v2/app/manifests", 404],
  ["/v2/app/manifests/", 404],
  ["/v2/manifests/latest", 404],
  ["/v2/app/manifests/latest", 200],
  ["/v2/app/manifests/latest/", 200],
  ["/v2/app/manifests/latest//", 404],
  ["/v2/app/tags/list/", 200],
  ["/v2/app/tags/list?n=1&n=2", 200],
  ["/v2/_catalog/", 200],
  ["/v2/_catalog/x", 404],
  ["/v2/app/manifests/..", 400],
  ["/v2/app/manifests/%2e%2e%2f%2e%2e%2fetc", 400],
  ["/v2/app/manifests/%ff%fe", 400],
  [`/v2/app/manifests/${"a".repeat(129)}`, 400],
  ["/v2/app/blobs/latest", 400],
  ["/v2/app/blobs/sha256:..%2f..%2f..%2fetc", 400],
  ["/v2/app/blobs/sha256:../../../etc/passwd", 404],
  [`/v2/app/blobs/sha256:${"0".repeat(63)}`, 400],
  [`/v2/app/blobs/sha256:${"A".repeat(64)}`, 400],
  [`/v2/app/blobs/sha256:${"0".repeat(5000)}`, 400],
  [`/v2/app/blobs/md5:${"0".repeat(32)}`, 400],
  [`/v2/app/blobs/__proto__:${"0".repeat(64)}`, 400],
  ["/v2/app/blobs/uploads/", 405],
  ["/v2/app/blobs/uploads/../../../etc", 404],
  ["/v2/app/blobs/uploads/%2e%2e%2fx", 404],
  [`/v2/app/blobs/uploads/${"x".repeat(5000)}`, 404],
  [`/v2/app/referrers/sha256:${"0".repeat(64)}?artifactType=${"a".repeat(5000)}`, 200],
  ["http://elsewhere.example/v2/", 404],
])("GET %s is %i", async (target, status) => {
  expect(await get(target)).toBe(status);
});

test.each(["TRACE", "PROPFIND", "OPTIONS", "LOCK", "POST", "PATCH", "CONNECT"])("%s is 405", async (method) => {
  expect(await get("/v2/app/manifests/latest", "Content-Length: 0\r\n", method)).toBe(405);
});

const manifest = "/v2/app/manifests/latest";
test.each([
  [
    "both Transfer-Encoding and Content-Length",
    "PUT",
    manifest,
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    400,
  ],
  ["two Content-Lengths", "PUT", manifest, "Content-Length: 5\r\nContent-Length: 6\r\n", 400],
  ["a negative Content-Length", "PUT", manifest, "Content-Length: -1\r\n", 400],
  ["an endless Content-Length", "PUT", manifest, `Content-Length: ${"9".repeat(40)}\r\n`, 400],
  ["a manifest of 5 GB", "PUT", manifest, "Content-Length: 5000000000\r\n", 413],
  ["an unknown Transfer-Encoding", "PUT", manifest, "Transfer-Encoding: gzip\r\n", 400],
  ["an unknown expectation", "PUT", manifest, "Content-Length: 5\r\nExpect: the unexpected\r\n", 417],
  ["a header too large", "GET", manifest, `X-Filler: ${"x".repeat(20_000)}\r\n`, 431],
  ["a flood of headers", "GET", manifest, "X: y\r\n".repeat(5000), 431],
  ["an Accept bomb", "GET", manifest, `Accept: ${"a/b,".repeat(3000)}c/d\r\n`, 200],
  ["a flood of ranges", "GET", `/v2/app/blobs/${digestOf("{}")}`, `Range: bytes=${"0-0,".repeat(3000)}0-0\r\n`, 200],
  ["a header without a colon", "GET", manifest, "nonsense\r\n", 400],
  ["a line feed in a header", "GET", manifest, "X: a\nY: b\r\n", 400],
  ["a compressed body", "PUT", manifest, "Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", 400],
] as const)("%s is answered", async (_, method, target, headers, status) => {
  expect(await get(target, headers, method)).toBe(status);
});

test("a request without a Host is refused, and one with a strange Host gets no Location with it", async () => {
  expect(await statusOf("GET /v2/ HTTP/1.1\r\n\r\n")).toBe(400);
  const answer = await sender(registry.transport)("POST", "/v2/app/blobs/uploads/", {
    headers: { host: "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" },
  });
  expect(answer.headers["location"]).toMatch(/^\/v2\/app\/blobs\/uploads\/[0-9a-f]{40}$/);
});

test("garbage is refused", async () => {
  expect(await statusOf("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")).toBe(400);
  expect(await statusOf("GET /v2/ HTTP/9.9\r\n\r\n")).toBe(400);
});

test("none of it made the registry fail, and it works on", async () => {
  expect(failures).toEqual([]);
  expect(await get(manifest)).toBe(200);
});
