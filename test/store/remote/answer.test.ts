import { expect, test } from "vitest";
import { streamOf, type ByteStream } from "../../../src/oci/stream.ts";
import { failure } from "../../../src/store/remote/answer.ts";

const attempt = { what: "do it", host: "registry.example", absent: "MANIFEST_UNKNOWN" } as const;
const errors = (...list: readonly object[]): string => JSON.stringify({ errors: list });

test.each([
  [
    "the registry's code and words",
    404,
    errors({ code: "NAME_UNKNOWN", message: "no repository" }),
    "NAME_UNKNOWN",
    "404 NAME_UNKNOWN: no repository",
  ],
  [
    "a detail in words",
    400,
    errors({ code: "MANIFEST_INVALID", message: "bad", detail: "layer 3" }),
    "MANIFEST_INVALID",
    "400 MANIFEST_INVALID: bad: layer 3",
  ],
  [
    "a code of its own",
    400,
    errors({ code: "GOOGLE_MANIFEST_DANGLING_TAG", message: "tagged" }),
    "UNKNOWN",
    "400 GOOGLE_MANIFEST_DANGLING_TAG: tagged",
  ],
  ["a proxy's page", 413, "<html>nginx</html>", "TOO_LARGE", "413"],
  ["nothing, about what is not there", 404, "", "MANIFEST_UNKNOWN", "404"],
  ["nothing, about the credentials", 401, "", "UNAUTHORIZED", "401"],
  ["a list of no errors", 403, errors(), "DENIED", "403"],
  ["errors that are none", 500, '{"errors":[null]}', "UNAVAILABLE", "500"],
  ["errors of the wrong type", 502, '{"errors":[{"code":7,"message":{}}]}', "UNAVAILABLE", "502"],
  [
    "several lines",
    400,
    errors({ code: "DENIED", message: "a\r\nb\u001b[2J\u202ec" }),
    "DENIED",
    "400 DENIED: a b [2J c",
  ],
])("%s", async (_, status, body, code, words) => {
  const error = await failure({ status, headers: {}, body: streamOf(Buffer.from(body)) }, attempt);
  expect(error).toMatchObject({ code, status, host: "registry.example", retryable: status >= 500 });
  expect(error.message).toBe(`cannot do it: registry.example answered ${words}`);
});

test("a body without end is read no further than 64 KiB", async () => {
  let sent = 0;
  async function* endless(): ByteStream {
    for (;;) {
      sent += 10_000;
      yield Buffer.alloc(10_000, "x");
    }
  }
  await failure({ status: 500, headers: {}, body: endless() }, attempt);
  expect(sent).toBeLessThanOrEqual(70_000);
});

test("a body that breaks off is none", async () => {
  async function* broken(): ByteStream {
    yield Buffer.from('{"errors":[{"code":"DEN');
    throw new Error("reset");
  }
  expect(await failure({ status: 403, headers: {}, body: broken() }, attempt)).toMatchObject({ code: "DENIED" });
});

test("long words are cut", async () => {
  const body = errors({ code: "DENIED", message: "x".repeat(5000) });
  expect(
    (await failure({ status: 403, headers: {}, body: streamOf(Buffer.from(body)) }, attempt)).message.length,
  ).toBeLessThan(600);
});
