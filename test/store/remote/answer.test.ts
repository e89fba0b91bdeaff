import { expect, test } from "vitest";
import { streamOf, type ByteStream } from "../../../src/oci/stream.ts";
import { RegistryError, type ErrorCode } from "../../../src/oci/error.ts";
import { explained, failure } from "../../../src/store/remote/answer.ts";

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
  ["a proxy's page", 413, "<html>nginx</html>", "TOO_LARGE", "413 with a web page"],
  [
    "a page with a title",
    429,
    "<!DOCTYPE html>\n<html><head><title>\n429 Too\u202e Many Requests</title>",
    "TOOMANYREQUESTS",
    '429 with a web page, "429 Too Many Requests"',
  ],
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
  expect(error).toMatchObject({ code, status, host: "registry.example", retryable: status >= 500 || status === 429 });
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

const denied = (message: string, code = "DENIED"): string => errors({ code, message });

test.each<[number, string, ErrorCode, RegExp]>([
  [
    429,
    denied("You have reached your unauthenticated pull rate limit.", "TOOMANYREQUESTS"),
    "TOOMANYREQUESTS",
    /mirror/,
  ],
  [429, "Too Many Requests (HAP429).", "TOOMANYREQUESTS", /wait some minutes/],
  [400, '{"message":"Rate exceeded"}', "TOOMANYREQUESTS", /fewer at once/],
  [401, denied("token is not yet valid", "UNAUTHORIZED"), "UNAUTHORIZED", /clock/],
  [403, denied("Your authorization token has expired. Reauthenticate and try again."), "UNAUTHORIZED", /log in again/],
  [400, denied("Your Authorization Token is invalid."), "UNAUTHORIZED", /another service/],
  [403, denied("client with IP '192.0.2.7' is not allowed access."), "DENIED", /certain addresses/],
  [
    403,
    denied("Unauthenticated request. Unauthenticated requests do not have permission"),
    "UNAUTHORIZED",
    /very host/,
  ],
  [403, denied('Permission "artifacts.upload" denied on resource "p" (or it may not exist)'), "DENIED", /role/],
  [403, denied("permission_denied: write_package"), "DENIED", /packages: write/],
  [403, denied("installation not allowed to Create organization package"), "DENIED", /organisation/],
  [401, denied("HTTP Basic: Access denied", "UNAUTHORIZED"), "UNAUTHORIZED", /access token/],
  [
    404,
    denied("The repository with name 'app' does not exist in the registry", "NAME_UNKNOWN"),
    "NAME_UNKNOWN",
    /create/,
  ],
  [400, denied("tag v1 is immutable", "TAG_INVALID"), "DENIED", /another one/],
  [412, denied("current image with 1 vulnerabilities cannot be pulled", "PROJECTPOLICYVIOLATION"), "DENIED", /rule/],
  [403, denied("adding 1 MiB will exceed the configured upper limit of 1 MiB"), "DENIED", /space/],
  [400, errors({ code: "GOOGLE_MANIFEST_DANGLING_TAG", message: "tagged" }), "UNKNOWN", /tags, then indexes/],
  [400, "<html><head><title>400 No required SSL certificate was sent</title>", "UNAUTHORIZED", /client certificate/],
  [400, "<title>400 The plain HTTP request was sent to HTTPS port</title>", "NETWORK", /--plain-http/],
  [503, "<html><title>ERROR: The requested URL could not be retrieved</title>", "UNAVAILABLE", /NO_PROXY/],
  [403, "<html><title>Login</title>", "DENIED", /may not do this/],
  [502, "<html><title>Bad Gateway</title>", "UNAVAILABLE", /is it a registry/],
])("%i %s has a hint", async (status, body, code, hint) => {
  const error = await failure({ status, headers: {}, body: streamOf(Buffer.from(body)) }, attempt);
  expect(error.hint).toMatch(hint);
  expect(error.code).toBe(code);
});

test.each([
  [425, true],
  [499, true],
  [501, false],
  [522, true],
])("whether a %i may pass: %s", async (status, retryable) => {
  const response = { status, headers: {}, body: streamOf(Buffer.from("")) };
  expect(await failure(response, attempt)).toMatchObject({ retryable });
});

test("what came of the way there says what was tried, and keeps the rest", () => {
  const error = new RegistryError("DENIED", "the proxy wants a login", { proxy: "proxy.example:3128", status: 407 });
  expect(explained(error, attempt)).toMatchObject({
    code: "DENIED",
    message: "cannot do it: the proxy wants a login",
    host: "registry.example",
    proxy: "proxy.example:3128",
    status: 407,
  });
});
