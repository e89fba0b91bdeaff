import { hashSync } from "bcryptjs";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../src/index.ts";
import { layoutStore } from "../../src/store/index.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { authority, clientKey, serverCertificate, serverKey } from "../transport/certificates.ts";
import { gantry, type Ended } from "./support.ts";

interface Serving {
  readonly url: string;
  readonly host: string;
  readonly log: () => string;
  readonly stop: () => Promise<Ended>;
}

/** `gantry serve` in this process, on a free port, once it says that it listens. */
async function serve(data: string, ...words: readonly string[]): Promise<Serving> {
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  let log = "";
  const ended = gantry(["serve", "--data", data, "--listen", "127.0.0.1:0", ...words], {
    signal: stop.signal,
    onStderr(text) {
      log += text;
      const url = /listening on (\S+?),/.exec(log)?.[1];
      if (url !== undefined) resolve(url);
    },
  });
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  const early = ended.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`)));
  const url = await Promise.race([promise, early]);
  early.catch(() => {});
  const stopped = async (): Promise<Ended> => {
    stop.abort();
    return ended;
  };
  return { url, host: new URL(url).host, log: () => log, stop: stopped };
}

async function layout(work: string): Promise<string> {
  await putImage(layoutStore(join(work, "layout")), image("app"), "1");
  return join(work, "layout");
}

test("says at a terminal how to push, with the host that it got", async () => {
  const stop = new AbortController();
  const data = join(await temporaryDirectory(), "data");
  const words = ["serve", "--data", data, "--listen", "127.0.0.1:0"];
  const onStderr = (text: string): void => void (text.includes("push to it") && stop.abort());
  const { stderr } = await gantry(words, { terminal: 80, env: { NO_COLOR: "1" }, signal: stop.signal, onStderr });
  const [, host] = /^listening on http:\/\/(127\.0\.0\.1:\d+),/.exec(stderr)!;
  expect(stderr).toContain(`push to it: gantry copy IMAGE ${host}/NAME:TAG\n`);
});

test("keeps what is pushed, over a restart", async () => {
  const work = await temporaryDirectory();
  const data = join(work, "data");
  const first = await serve(data);
  expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await gantry(["push", await layout(work), `${first.host}/app:1`])).code).toBe(0);
  expect(await first.stop()).toMatchObject({
    code: 0,
    stdout: "",
    stderr: `listening on ${first.url}, data in ${data}\nstopping\n`,
  });
  const second = await serve(data);
  expect((await gantry(["digest", `${second.host}/app:1`])).stdout).toBe(
    `${image("app").manifest.descriptor.digest}\n`,
  );
});

test("with users: anybody pulls, a user pushes", async () => {
  const work = await temporaryDirectory();
  await writeFile(join(work, "users"), `alice:${hashSync("secret", 4)}\n`);
  const { host } = await serve(join(work, "data"), "--htpasswd", join(work, "users"), "--anonymous-pull");
  const images = await layout(work);
  expect((await gantry(["push", images, `${host}/app:1`])).code).toBe(4);
  expect((await gantry(["push", "--creds", "alice:secret", images, `${host}/app:1`])).code).toBe(0);
  expect((await gantry(["digest", `${host}/app:1`])).code).toBe(0);
  expect((await gantry(["delete", `${host}/app:1`])).code).toBe(4);
});

test("over TLS, with a certificate of its own", async () => {
  const work = await temporaryDirectory();
  for (const [name, text] of [
    ["cert", serverCertificate],
    ["key", serverKey],
    ["ca", authority],
  ] as const)
    await writeFile(join(work, name), text);
  const { host, url } = await serve(
    join(work, "data"),
    "--tls-cert",
    join(work, "cert"),
    "--tls-key",
    join(work, "key"),
  );
  expect(url).toMatch(/^https:/);
  const at = `localhost:${host.split(":")[1]}`;
  expect((await gantry(["push", "--ca-file", join(work, "ca"), await layout(work), `${at}/app:1`])).code).toBe(0);
  expect((await gantry(["digest", "--tls-verify=false", `${at}/app:1`])).code).toBe(0);
  const untrusted = await gantry(["digest", "--retries", "0", `${at}/app:1`]);
  expect(untrusted).toMatchObject({ code: 1, stderr: expect.stringMatching(/next +gantry digest .* --ca-file FILE/) });
});

test.each([
  ["swapped", serverKey, serverCertificate, "WORK/cert: there is no certificate in it"],
  ["an empty certificate", "", serverKey, "WORK/cert: there is no certificate in it"],
  ["a certificate that is cut off", serverCertificate.slice(0, 200), serverKey, "WORK/cert: the certificate that"],
  ["an empty key", serverCertificate, "", "WORK/key: there is no private key in it"],
  ["a locked key", serverCertificate, lockedKey(), "WORK/key: the key is locked with a passphrase"],
  ["another's key", serverCertificate, clientKey, "the key in WORK/key is not that of the certificate in WORK/cert"],
])("TLS files that do not fit are named: %s", async (_, cert, key, message) => {
  const work = await temporaryDirectory();
  await writeFile(join(work, "cert"), cert);
  await writeFile(join(work, "key"), key);
  const files = ["--tls-cert", join(work, "cert"), "--tls-key", join(work, "key")];
  const ended = await gantry(["serve", "--data", join(work, "data"), "--listen", "127.0.0.1:0", ...files]);
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(message.replaceAll("WORK", work)) });
  expect(await readdir(work)).toEqual(["cert", "key"]);
});

function lockedKey(): string {
  return createPrivateKey(serverKey).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "secret",
  }) as string;
}

test("read-only, refuses to be changed", async () => {
  const work = await temporaryDirectory();
  const { host, log } = await serve(join(work, "data"), "--read-only");
  expect(log()).toContain("read-only");
  expect((await gantry(["push", await layout(work), `${host}/app:1`])).code).toBe(1);
});

test("lets a request that is under way end, and takes no more", async () => {
  const work = await temporaryDirectory();
  const { host, stop } = await serve(join(work, "data"));
  const body = Buffer.from("hello");
  const started = await ask(host, "POST", "/v2/app/blobs/uploads/");
  const put = request({
    host: "127.0.0.1",
    port: host.split(":")[1],
    method: "PUT",
    path: `${started}?digest=${digestOf(body)}`,
    headers: { "content-length": body.byteLength },
  });
  put.write(body.subarray(0, 2));
  await new Promise<void>((resolve) => void put.once("socket", (socket) => socket.once("connect", () => resolve())));
  await ask(host, "GET", "/v2/"); // The server has taken up the request before.
  const ended = stop();
  const refused = once(connect(Number(host.split(":")[1]), "127.0.0.1"), "error");
  await expect(refused).resolves.toMatchObject([{ code: "ECONNREFUSED" }]);
  put.end(body.subarray(2));
  const [answer] = (await once(put, "response")) as [{ statusCode: number; resume(): void }];
  answer.resume();
  expect(answer.statusCode).toBe(201);
  expect((await ended).code).toBe(0);
});

test("with --verbose writes a line for each request, which cannot forge another", async () => {
  const { host, stop } = await serve(join(await temporaryDirectory(), "data"), "-v");
  await ask(host, "GET", "/v2/%0A?x=%1B");
  expect((await stop()).stderr).toMatch(/\n\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1 - GET \/v2\/%0A\?x=%1B 404 \d+ ms\n/);
});

describe("refuses to start", () => {
  test.each<[string, readonly string[], number, string]>([
    ["without a directory", ["--listen", "127.0.0.1:0"], 2, "say --data DIR"],
    ["where no directory can be made", ["--data", "/proc/gantry"], 2, "/proc/gantry cannot hold a registry"],
    ["for other machines, with no users", ["--data", "DATA", "--listen", "0.0.0.0:0"], 2, "without access control"],
    ["with half a certificate", ["--data", "DATA", "--tls-cert", "x"], 2, "go together"],
    ["with --anonymous-pull and no users", ["--data", "DATA", "--anonymous-pull"], 2, "goes with --htpasswd"],
    [
      "with a file of users that is not there",
      ["--data", "DATA", "--listen", "127.0.0.1:0", "--htpasswd", "/nonexistent"],
      2,
      "/nonexistent",
    ],
    [
      "where it cannot listen",
      ["--data", "DATA", "--listen", "192.0.2.1:1", "--open"],
      2,
      "cannot listen on 192.0.2.1:1",
    ],
  ])("%s", async (_, words, code, message) => {
    const work = await temporaryDirectory();
    const ended = await gantry(["serve", ...words.map((word) => word.replace("DATA", join(work, "data")))]);
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(ended.stderr).not.toContain("listening");
    if (!words.includes("--data")) expect(await readdir(work)).toEqual([]);
  });
});

/** Sends a request without a body; answers where it leads. */
async function ask(host: string, method: string, path: string): Promise<string> {
  const sent = request({ host: "127.0.0.1", port: host.split(":")[1], method, path, agent: false }).end();
  const [answer] = (await once(sent, "response")) as [{ headers: Record<string, string>; resume(): void }];
  answer.resume();
  return answer.headers["location"] ?? "";
}
