import { describe, expect, test } from "vitest";
import { Secret } from "../../src/auth/secret.ts";
import { streamOf } from "../../src/oci/stream.ts";
import { jsonApi, type JsonApi, type JsonRequest } from "../../src/provider/json-api.ts";
import type { Transport } from "../../src/transport/transport.ts";

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function api(
  base: string,
  answer: (asked: number) => Answer,
  headers: Readonly<Record<string, string>> = {},
): JsonApi & { readonly asked: string[] } {
  const asked: string[] = [];
  const transport: Transport = async ({ method, url }) => {
    const { status = 200, headers: answered = {}, body = {} } = answer(asked.length);
    asked.push(`${method} ${url.href}`);
    return { status, headers: answered, body: streamOf(Buffer.from(JSON.stringify(body))) };
  };
  return { ...jsonApi({ transport, base: new URL(base), title: "Service", headers: () => headers }), asked };
}

describe("secrets", () => {
  const secret = new Secret("hunter2");

  test("in a body are not sent over plain HTTP", async () => {
    const service = api("http://service.example", () => ({}));
    const sent = service.send("POST", "/login", { body: "password=hunter2", secrets: [secret] });
    await expect(sent).rejects.toMatchObject({ code: "UNAUTHORIZED", host: "service.example" });
    expect(service.asked).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, string>>, JsonRequest]>([
    ["body", {}, { body: { password: "hunter2" }, secrets: [secret] }],
    ["Authorization", { authorization: "Bearer hunter2" }, {}],
    ["header for tokens", { "private-token": "hunter2" }, {}],
  ])("of the %s that come back are in no message", async (_where, headers, request) => {
    const refusal = { status: 400, body: { message: "no user has hunter2" } };
    const sent = api("https://service.example", () => refusal, headers).send("POST", "/login", request);
    await expect(sent).rejects.toThrow("cannot speak to Service: Service answered 400: no user has [secret]");
  });
});

test("control characters of an answer are in no message", async () => {
  const refusal = { status: 500, body: { errors: [{ message: "\u001b]0;title\u0007bad\u202e\u009b31m" }] } };
  const error: unknown = await api("https://service.example", () => refusal)
    .send("GET", "/a")
    .catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(/answered 500: \]0;title bad 31m$/);
});

test.each(["/a/..", "/a/../b", "/a/.", "/a/%2E%2e/b", "/a/..?force=true", "/a/..\\b"])(
  "the path %s, which is that of something else, is not asked for",
  async (path) => {
    const service = api("https://service.example", () => ({}));
    await expect(service.send("DELETE", path)).rejects.toMatchObject({ code: "INVALID" });
    expect(service.asked).toEqual([]);
  },
);

describe("pages", () => {
  test.each([
    ["another host", "<https://evil.example/b>", "says that the next page is at evil.example, another host"],
    ["what is no address", "<http://[>", "is no address"],
  ])("that lead to %s are refused", async (_where, link, message) => {
    const service = api("https://service.example", () => ({ headers: { link: `${link}; rel="next"` } }));
    await expect(Array.fromAsync(service.pages("/a"))).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining(message) as unknown,
    });
    expect(service.asked).toEqual(["GET https://service.example/a"]);
  });

  test("that never end are an error", async () => {
    const service = api("https://service.example", (asked) => ({
      headers: { link: `</a?page=${asked}>; rel="next"` },
    }));
    await expect(Array.fromAsync(service.pages("/a"))).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining("without an end") as unknown,
    });
  });
});

test("a web page in the place of a list is no empty list", async () => {
  const transport: Transport = async () => ({
    status: 200,
    headers: { "content-type": "text/html" },
    body: streamOf(Buffer.from("<html>log in</html>")),
  });
  const service = jsonApi({ transport, base: new URL("https://service.example"), title: "Service" });
  await expect(Array.fromAsync(service.pages("/a"))).rejects.toMatchObject({ code: "NETWORK" });
  expect(await service.send("GET", "/log", { headers: { accept: "text/plain" } })).toMatchObject({
    text: "<html>log in</html>",
  });
});
