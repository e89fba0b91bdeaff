import { describe, expect, test } from "vitest";
import { asRegistryError, errorJson, errorText, explain, type Attempt } from "../../../src/cli/render/error.ts";
import { RegistryError, type ErrorCode, type ErrorDetails } from "../../../src/index.ts";

const a = "a.example/app:1";
const b = "b.example:5000/team/app:2";
const copy: Attempt = { command: "copy", words: ["copy", a, b, "--format", "{{.x y}}"], references: [a, b] };
const digest: Attempt = { command: "digest", words: ["digest", a], references: [a] };
const host: Attempt = { command: "ls", words: ["ls", "127.0.0.1:5000"], references: ["127.0.0.1:5000"] };

const failed = (code: ErrorCode, details: ErrorDetails = {}): RegistryError =>
  new RegistryError(code, "it failed", details);
const caused = (code: string): Error => Object.assign(new Error(code), { code });

test("says what was tried, where, what came back, why that may be and what to do, in that order", () => {
  const error = failed("UNAUTHORIZED", { side: "destination", host: "b.example:5000", status: 401, hint: "log in" });
  expect(errorText(explain(error, copy), { color: false })).toBe(
    [
      "error: it failed",
      "  tried   gantry copy a.example/app:1 b.example:5000/team/app:2 --format '{{.x y}}'",
      "  at      b.example:5000, the destination: 401 UNAUTHORIZED",
      "  likely  the registry wants a login, or does not accept the one it got",
      "  hint    log in",
      "  next    gantry login b.example:5000",
      "",
    ].join("\n"),
  );
});

test("where a service wants a login of its own kind, that is what to bring", () => {
  const error = failed("UNAUTHORIZED", { host: "a.example", status: 401 });
  const login = { title: "A Service", cause: "it takes a token", command: "a-tool token | gantry login {registry}" };
  expect(explain(error, { ...digest, login })).toMatchObject({
    likely: "A Service: it takes a token",
    next: "a-tool token | gantry login a.example",
  });
  // One that was refused is another matter.
  const refused = failed("UNAUTHORIZED", { host: "a.example", status: 401, credential: "--creds" });
  expect(explain(refused, { ...digest, login })).toMatchObject({ next: "gantry auth why a.example/app:1" });
});

test("the same as JSON is one line", () => {
  const text = errorJson(explain(failed("MANIFEST_UNKNOWN", { host: "a.example", status: 404 }), digest));
  expect(text.split("\n")).toHaveLength(2);
  expect(JSON.parse(text)).toEqual({
    error: {
      code: "MANIFEST_UNKNOWN",
      message: "it failed",
      tried: "gantry digest a.example/app:1",
      host: "a.example",
      status: 404,
      likely: "the tag or digest was never pushed, was deleted, or is spelt otherwise",
      next: "gantry ls a.example/app",
    },
  });
});

test("a name that no registry knows may be that of a file here", () => {
  const attempt: Attempt = { ...digest, words: ["digest", "app.tar"], references: [], files: ["app.tar"] };
  const hint = (code: ErrorCode, files: readonly string[]): string | undefined =>
    explain(failed(code, { hint: "its own" }), { ...attempt, files }).hint;
  expect(hint("DENIED", ["app.tar"])).toBe(
    "there is app.tar here: to name it, write oci-archive:app.tar or docker-archive:app.tar",
  );
  expect(hint("NETWORK", ["images"])).toBe("there is images here: to name it, write oci:images or dir:images");
  expect(hint("DENIED", [])).toBe("its own");
  expect(hint("UNVERIFIED", ["app.tar"])).toBe("its own");
});

test("no image may mean no file", () => {
  const missing = [
    { word: "oci:out", path: "/srv/out" },
    { word: "oci-archive:app.tar", path: "/srv/app.tar" },
  ];
  const hint = (message: string): string | undefined =>
    explain(new RegistryError("MANIFEST_UNKNOWN", message), { ...copy, missing }).hint;
  expect(hint("there is no image in oci-archive:app.tar")).toBe("there is no file /srv/app.tar");
  expect(hint("oci:out is not there")).toBe("there is no directory /srv/out");
  expect(hint("a.example/app:1 is not there")).toBeUndefined();
});

test("a host that was named alone is itself", () => {
  const login: Attempt = { command: "login", words: ["login", "a.example:5000"], references: ["a.example:5000"] };
  const refused = failed("UNAUTHORIZED", { host: "a.example:5000" });
  expect(explain(refused, login).next).toBe("gantry doctor a.example:5000");
  expect(explain(refused, { ...login, command: "ls" }).next).toBe("gantry login a.example:5000");
});

describe("the next command", () => {
  test.each<[string, RegistryError, Attempt, string | undefined]>([
    ["a login at the side that failed", failed("DENIED", { side: "destination" }), copy, "gantry login b.example:5000"],
    ["a login at the source", failed("DENIED", { side: "source" }), copy, "gantry login a.example"],
    [
      "a list of tags",
      failed("MANIFEST_UNKNOWN", { host: "b.example:5000" }),
      copy,
      "gantry ls b.example:5000/team/app",
    ],
    ["a list of repositories", failed("NAME_UNKNOWN", { host: "a.example" }), copy, "gantry ls a.example"],
    ["a check", failed("BLOB_UNKNOWN", { side: "source" }), copy, `gantry check ${a}`],
    ["a check of every byte", failed("UNVERIFIED", { side: "source" }), copy, `gantry check --deep ${a}`],
    ["the same again", failed("UNAVAILABLE"), digest, `gantry digest ${a}`],
    ["help", failed("INVALID"), digest, "gantry digest --help"],
    ["help in general", failed("INVALID"), { words: [], references: [] }, "gantry --help"],
    [
      "a look at the host",
      failed("NETWORK", { host: "a.example", cause: caused("ECONNREFUSED") }),
      digest,
      "gantry doctor a.example",
    ],
    [
      "a look at the registry, where what it leads to is at fault",
      failed("NETWORK", { host: "auth.example", cause: caused("ECONNREFUSED") }),
      digest,
      "gantry doctor a.example",
    ],
    [
      "a look at the way, where nothing came in time",
      failed("TIMEOUT", { host: "a.example" }),
      digest,
      "gantry doctor a.example",
    ],
    [
      "the same without TLS",
      failed("NETWORK", { host: "a.example", cause: caused("ERR_SSL_WRONG_VERSION_NUMBER") }),
      digest,
      `gantry digest ${a} --plain-http`,
    ],
    [
      "the same with a certificate",
      failed("NETWORK", { host: "a.example", cause: caused("DEPTH_ZERO_SELF_SIGNED_CERT") }),
      digest,
      `gantry digest ${a} --ca-file FILE`,
    ],
    [
      "nothing, where the hint knows better",
      failed("MANIFEST_UNKNOWN", { host: "a.example", hint: "choose another" }),
      digest,
      undefined,
    ],
    [
      "nothing about registries, where a file is missing",
      failed("MANIFEST_UNKNOWN"),
      { ...copy, references: ["oci:x", a] },
      undefined,
    ],
    [
      "about the registry, where a host and its port are named alone",
      failed("NETWORK", { host: "127.0.0.1:5000", cause: caused("ECONNREFUSED") }),
      host,
      "gantry doctor 127.0.0.1:5000",
    ],
    [
      "a login to the registry, where a host is named alone",
      failed("UNAUTHORIZED", { host: "127.0.0.1:5000" }),
      host,
      "gantry login 127.0.0.1:5000",
    ],
    [
      "a look at the login for a host",
      failed("DENIED", { host: "127.0.0.1:5000", status: 403, credential: "a file" }),
      host,
      "gantry auth check 127.0.0.1:5000",
    ],
    [
      "about Docker Hub, by the name it is known by",
      failed("NETWORK", { host: "registry-1.docker.io", cause: caused("ECONNREFUSED") }),
      { ...copy, references: [a, "docker.io/library/alpine"] },
      "gantry doctor docker.io",
    ],
    [
      "about Docker Hub, where an image without a registry has a number for a tag",
      failed("UNAUTHORIZED", { host: "registry-1.docker.io" }),
      { ...digest, references: ["redis:7"] },
      "gantry login docker.io",
    ],
    [
      "nothing, where an API wants a login that is not the registry's",
      failed("UNAUTHORIZED", { host: "a.example", status: 400, hint: "log in to the cloud" }),
      digest,
      undefined,
    ],
    [
      "about the registry, where the API of its service is not reached",
      failed("NETWORK", { host: "api.example", cause: caused("ENOTFOUND") }),
      { command: "quota", words: ["quota", "registry.example"], references: ["registry.example"] },
      "gantry doctor registry.example",
    ],
    ["nothing, where nobody knows", failed("UNSUPPORTED"), digest, undefined],
  ])("is %s", (_, error, attempt, next) => {
    expect(explain(error, attempt).next).toBe(next);
  });
});

test("control characters from elsewhere do nothing to a terminal", () => {
  const error = new RegistryError("DENIED", "no\u001B[2J\nerror: forged", { host: "a.example", hint: "\u009B31m" });
  const text = errorText(explain(error, digest), { color: false });
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(text).not.toMatch(/[\u001B\u009B]/);
  expect(text.split("\n")[0]).toBe(String.raw`error: no\u001b[2J\nerror: forged`);
});

describe("what is no RegistryError", () => {
  test.each<[unknown, Partial<RegistryError>]>([
    [
      Object.assign(new Error("ENOENT: no such file or directory, open 'x'"), {
        code: "ENOENT",
        syscall: "open",
        path: "x",
      }),
      { code: "INVALID", message: "x: there is no such file or directory" },
    ],
    [
      Object.assign(new Error("EACCES: permission denied, open 'x'"), { code: "EACCES", syscall: "open", path: "x" }),
      { code: "DENIED", message: "x: permission denied" },
    ],
    [
      Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" }),
      { code: "UNKNOWN", message: "no space left on device" },
    ],
    [
      Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read", path: "x" }),
      { code: "UNKNOWN", message: "x: i/o error" },
    ],
    [
      Object.assign(new Error("listen EACCES: permission denied 0.0.0.0:80"), { code: "EACCES", syscall: "listen" }),
      { code: "DENIED", message: "listen EACCES: permission denied 0.0.0.0:80" },
    ],
    [new DOMException("aborted", "AbortError"), { code: "ABORTED", message: "interrupted" }],
    [
      new TypeError("x is not a function"),
      {
        code: "UNKNOWN",
        message: "internal error: x is not a function",
        hint: expect.stringContaining("GANTRY_DEBUG"),
      },
    ],
    ["thrown", { code: "UNKNOWN", message: "thrown" }],
  ])("%s is told as what it is", (thrown, expected) => {
    expect(asRegistryError(thrown)).toMatchObject(expected);
  });

  test("a RegistryError stays itself", () => {
    const error = failed("DENIED");
    expect(asRegistryError(error)).toBe(error);
  });
});
