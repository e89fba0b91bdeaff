import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  parseDuration,
  parseHeader,
  parseProxyOption,
  parseResolve,
  parseTlsVersion,
} from "../../src/cli/option-values.ts";
import { allCommands } from "../../src/cli/commands.ts";
import { maskSecrets } from "../../src/cli/secrets.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { putImage, twoPlatforms } from "../support/images.ts";
import { answer, listen } from "../transport/listen.ts";
import { proxyServer } from "../transport/proxy-server.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry } from "./support.ts";

test.each([
  ["500ms", 500],
  ["10s", 10_000],
  ["2m", 120_000],
  ["1h30m", 5_400_000],
  ["1m0.5s", 60_500],
  ["10 s", 10_000],
  ["1d", 86_400_000],
  ["10", 10_000],
  ["0.25", 250],
  ["0", 0],
])("the time %s is %i ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "s", "-1s", "1y", "600h", "10sec", "1s!", "!1s", "1e3", "ten"])("%j is no time", (text) => {
  expect(() => parseDuration(text)).toThrow(`${JSON.stringify(text)} is not a time`);
});

test("no time is longer than Node's timers take", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\dwdhms. ]{1,12}$/), (text) => {
      try {
        expect(parseDuration(text)).toBeLessThan(2 ** 31);
      } catch (error) {
        expect(error).toBeInstanceOf(RegistryError);
      }
    }),
  );
});

test.each([
  ["registry.example:443:192.0.2.7", "registry.example:443", "192.0.2.7"],
  ["Registry.Example:192.0.2.7", "registry.example", "192.0.2.7"],
  ["registry.example:5000:[2001:db8::7]", "registry.example:5000", "2001:db8::7"],
  ["registry.example:[::1]", "registry.example", "::1"],
  ["registry.example:443:2001:db8::7", "registry.example:443", "2001:db8::7"],
])("--resolve %s", (text, host, address) => {
  expect(parseResolve(text)).toEqual([host, address]);
});

test.each([
  "registry.example",
  "registry.example:443",
  "registry.example:443:mirror.example",
  "registry.example:99999:192.0.2.7",
  "registry.example:443:192.0.2.777",
  ":443:192.0.2.7",
  "",
])("--resolve %j is refused", (text) => {
  expect(() => parseResolve(text)).toThrow("is not HOST:PORT:ADDRESS");
});

test("headers, proxies and versions", () => {
  expect(parseHeader("X-A: b: c")).toEqual(["X-A", "b: c"]);
  expect(parseHeader("x-a:")).toEqual(["x-a", ""]);
  for (const text of ["s3cret", ": s3cret", "Authorization: s3cret", "x-a: s3cret\r\nx-b: c", "x a: s3cret"])
    expect(() => parseHeader(text)).toThrow(/^(?!.*s3cret)/);
  expect(parseProxyOption("none")).toBe(false);
  expect(parseTlsVersion("1.3")).toBe("TLSv1.3");
  expect(() => parseTlsVersion("1.1")).toThrow('"1.1" is neither 1.2 nor 1.3');
});

describe("on the command line", () => {
  const app = twoPlatforms("app");
  const scene = async (): Promise<{ readonly host: string; readonly port: string }> => {
    const registry = await testRegistry();
    await putImage(registry.store("app"), app, "1.0");
    return { host: registry.host, port: registry.host.split(":")[1]! };
  };
  const digest = app.manifest.descriptor.digest;

  test("--resolve", async () => {
    const { port } = await scene();
    const named = `registry.example:${port}`;
    const ended = await gantry(["digest", `${named}/app:1.0`, "--plain-http", "--resolve", `${named}:127.0.0.1`]);
    expect(ended).toMatchObject({ code: 0, stdout: `${digest}\n` });
  });

  test("--proxy, which goes before the environment's, and none", async () => {
    const { port } = await scene();
    await using proxy = await proxyServer();
    const words = ["digest", `registry.example:${port}/app:1.0`, "--plain-http"];
    const env = { http_proxy: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1", no_proxy: "*" };
    const ended = await gantry([...words, "--proxy", `ann:s3cret@${proxy.url.host}`], { env });
    expect(ended).toMatchObject({ code: 0, stdout: `${digest}\n` });
    expect(proxy.seen).toContain(`HEAD http://registry.example:${port}/v2/app/manifests/1.0 as ann:s3cret`);
    const none = await gantry([...words, "--proxy", "none", "--resolve", `registry.example:${port}:127.0.0.1`], {
      env: { ...env, no_proxy: "" },
    });
    expect(none).toMatchObject({ code: 0, stdout: `${digest}\n` });
  });

  test("a proxy that refuses is told with a way out, and nothing secret", async () => {
    await using proxy = await listen((_, response) => answer(response, 407));
    proxy.server.on("connect", (_, socket) => socket.end("HTTP/1.1 407 No\r\n\r\n"));
    const url = `http://ann:s3cret@${proxy.url.host}`;
    for (const given of [["--proxy", url], [`--proxy=${url}`]]) {
      const ended = await gantry(["digest", "registry.example/app:1.0", "-H", "X-Pass: s3cret", ...given]);
      expect(ended.code).toBe(4);
      expect(ended.stderr).toContain(
        `registry.example cannot be reached: the proxy ${proxy.url.host} does not accept the user or the password`,
      );
      expect(ended.stderr).toContain(`curl -v --proxy ${proxy.url.host} https://registry.example/v2/`);
      expect(ended.stderr).not.toMatch(/s3cret|gantry login/);
      expect(ended.stderr).toContain("X-Pass: VALUE");
    }
    const socks = await gantry(["digest", "registry.example/app:1.0", "--proxy", "socks5://ann:s3cret@127.0.0.1:1"]);
    expect(socks.code).toBe(2);
    expect(socks.stderr).toContain("SOCKS proxies are not supported");
    expect(socks.stderr).not.toContain("s3cret");
    for (const text of ["http://ann:s3/cret@a:1", "http://ann:s3@cret@a:1", "ann:s3/cret@a:1"])
      expect(maskSecrets(["digest", "--proxy", text], allCommands()).at(-1)).toMatch(/^(http:\/\/)?USER:PASSWORD@a:1$/);
  });

  test.each(["redis:7", "docker.io/library/redis:7"])("options hold for the registry of %s", async (image) => {
    const seen: unknown[] = [];
    await using proxy = await listen(({ url, headers }, response) => {
      seen.push([url, headers["x-a"], headers.authorization]);
      answer(response, 401, "", { "www-authenticate": "Basic" });
    });
    proxy.server.on("connect", (_, socket) => socket.end("HTTP/1.1 502 No\r\n\r\n"));
    await gantry([
      "digest",
      image,
      "--plain-http",
      "-H",
      "x-a: b",
      "--creds",
      "ann:pw",
      "--retries",
      "0",
      "--proxy",
      proxy.url.href,
    ]);
    const url = "http://registry-1.docker.io/v2/library/redis/manifests/7";
    expect(seen).toContainEqual([url, "b", `Basic ${btoa("ann:pw")}`]);
  });

  test("--header and --user-agent", async () => {
    const seen: unknown[] = [];
    await using server = await listen(({ headers }, response) => {
      seen.push([headers["x-pass"], headers["user-agent"]]);
      answer(response, 404);
    });
    await gantry([
      "digest",
      `${server.url.host}/app:1.0`,
      "--header",
      "X-Pass: a",
      "-H",
      "x-b:c",
      "--user-agent",
      "me/1",
    ]);
    expect(seen).toContainEqual(["a", "me/1"]);
    const refused = await gantry(["digest", `${server.url.host}/app:1.0`, "--header=Authorization: Basic s3cret"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--header: the header Authorization cannot be set");
    expect(refused.stderr).not.toContain("s3cret");
  });

  /** A server that takes connections and says nothing. */
  const silent = async (): Promise<string> => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket.on("error", () => {}))).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  test("--answer-timeout and --connect-timeout", async () => {
    const host = await silent();
    const words = ["digest", `${host}/app:1.0`, "--retries", "0"];
    const answered = await gantry([...words, "--answer-timeout", "50ms"]);
    expect(answered.code).toBe(1);
    expect(answered.stderr).toContain(`${host} did not answer within 0.05 s`);
    const named = `registry.example:${host.split(":")[1]}`;
    const slow = ["digest", `${named}/app:1.0`, "--retries", "0", "--resolve", `${named}:127.0.0.1`];
    const connected = await gantry([...slow, "--connect-timeout", "50ms"]);
    expect(connected.stderr).toContain("could not be connected to within 0.05 s");
  });

  test("--command-timeout ends a command that is not done, with 1; an interruption is still one", async () => {
    const host = await silent();
    const words = ["digest", `${host}/app:1.0`, "--command-timeout"];
    const late = await gantry([...words, "100ms"]);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain("the command was not done within 100 ms");
    const stop = new AbortController();
    const interrupted = gantry([...words, "10m"], { signal: stop.signal });
    stop.abort();
    expect((await interrupted).code).toBe(130);
    const { host: there } = await scene();
    expect((await gantry(["digest", `${there}/app:1.0`, "--command-timeout", "10m"])).code).toBe(0);
  });

  test("--retry-delay", async () => {
    await using server = await listen((_, response) => answer(response, 503));
    const words = ["digest", `${server.url.host}/app:1.0`, "--retry-times", "1", "--retry-delay", "10ms"];
    const { stderr } = await gantry(words);
    expect(stderr).toContain("503; trying again in 10 ms (attempt 1 of 2)");
  });

  test("a connection that is refused is told as such, and tried again while somebody may be starting", async () => {
    const server = await listen((_, response) => answer(response, 200));
    await server[Symbol.asyncDispose]();
    const words = ["digest", `${server.url.host}/app:1.0`, "--retry-delay", "1ms", "-v"];
    const { stderr } = await gantry(words);
    const told = stderr.split("\n").filter((line) => line.includes("trying again"));
    expect(told).toHaveLength(3);
    expect(told[0]).toMatch(/^127\.0\.0\.1:\d+ refused the connection; trying again in \d+ ms \(attempt 1 of 4\)$/);
    expect((await gantry([...words, "--retries", "1"])).stderr).toContain("(attempt 1 of 2)");
  });

  test("what is waited for is told with the scheme that is spoken", async () => {
    await using server = await listen((_, response) => answer(response, 503));
    const words = ["copy", `${server.url.host}/app:1.0`, `${server.url.host}/other`, "--retries", "1"];
    const { stderr } = await gantry([...words, "--retry-delay", "1ms", "--progress", "json"]);
    const wait = stderr.split("\n").find((line) => line.includes('"type":"wait"'));
    expect(JSON.parse(wait!)).toMatchObject({ url: `${server.url.href}v2/app/manifests/1.0`, status: 503 });
  });

  test("--quota-reserve", async () => {
    const { host } = await scene();
    const told = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "5;w=21600" };
    await using hub = await listen(async ({ method, url, headers }, response) => {
      const origin = await fetch(`http://${host}${url}`, {
        method: method!,
        headers: { accept: headers.accept ?? "*/*" },
      });
      response.writeHead(origin.status, { ...Object.fromEntries(origin.headers), ...told });
      response.end(Buffer.from(await origin.arrayBuffer()));
    });
    const words = ["manifest", `${hub.url.host}/app:1.0`, "--quota-reserve"];
    expect((await gantry([...words, "4", "-v"])).stderr).toContain("5 requests left of its limit of 100");
    const refused = await gantry([...words, "5"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `cannot read manifest 1.0 of ${hub.url.host}/app: ${hub.url.host} allows 5 more pulls, and 5 are kept in reserve`,
    );
  });
});

test("what is said of TLS for a place that is no registry is taken, as skopeo takes it", async () => {
  const [folder, { host, store }] = [await temporaryDirectory(), await testRegistry()];
  await putImage(store("app"), twoPlatforms("app"), "1.0");
  const layout = `oci:${folder}/layout`;
  for (const option of ["-tls-verify=false", "-plain-http", `-cert-dir=${folder}`]) {
    await must("copy", `--dest${option}`, `${host}/app:1.0`, `${layout}:1`);
    await must("copy", `--src${option}`, `${layout}:1`, `${host}/back:1`);
    await must("copy", `-${option}`, `${layout}:1`, `${layout}2:1`);
    await must("inspect", `-${option}`, `${layout}:1`);
  }
});
