import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answer, listen } from "../transport/listen.ts";
import { gantry, testRegistry } from "./support.ts";

test("tells of each check, its cause and the command that mends it, and ends as the fault says", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("one"), "1");
  const good = await gantry(["doctor", `${host}/app:1`]);
  expect(good.code, good.stderr).toBe(0);
  expect(good.stderr).toBe("nothing is wrong\n");
  expect(good.stdout).toMatch(/^✓ name {8}127\.0\.0\.1:\d+\/app:1\n✓ proxy {7}none\n/);

  const absent = await gantry(["doctor", `${host}/app:none`]);
  expect(absent.code).toBe(3);
  expect(absent.stdout).toContain(`✗ pull        ${host}/app:none is not there: 404 MANIFEST_UNKNOWN`);
  expect(absent.stdout).toContain(`\n              -> gantry ls ${host}/app\n`);
  expect(absent.stderr).toBe("1 fault, 0 warnings\n");

  expect((await gantry(["doctor", "127.0.0.1:1"])).code).toBe(1);
});

test("ends with 4 where the login is at fault, and shows no password", async () => {
  const server = await listen((_, response) => answer(response, 401, "", { "www-authenticate": 'Basic realm="x"' }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  for (const args of [[], ["--creds", "ann:s3cret"]]) {
    const { code, stdout, stderr } = await gantry(["doctor", server.url.host, ...args]);
    expect(code).toBe(4);
    expect(stdout).toContain(`-> gantry login ${server.url.host}\n`);
    expect(stdout + stderr).not.toContain("s3cret");
  }
});

test("as lines of JSON, each is there when it is found", async () => {
  const { host } = await testRegistry();
  const { stdout } = await gantry(["doctor", "--format", "ndjson", host]);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toEqual({ check: "name", verdict: "fine", message: host, host });
  expect(lines.every(({ verdict }) => ["fine", "warning", "fault", "skipped"].includes(String(verdict)))).toBe(true);
});

test("colours are for terminals", async () => {
  const { host } = await testRegistry();
  expect((await gantry(["doctor", host])).stdout).not.toContain("\u001B");
  expect((await gantry(["doctor", host], { terminal: 100 })).stdout).toContain("\u001B[32m✓");
});

test("each check ends in its time", async () => {
  const server = await listen(() => {});
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { code, stdout } = await gantry(["doctor", "--timeout", "300ms", server.url.host]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ (?:tls|api) .*(?:did not answer|does not answer) within 0\.3 s/);
});

test.each(["soon", "0", "-1", "1y", "99999999"])("--timeout %s is refused", async (text) => {
  const { code, stderr } = await gantry(["doctor", `--timeout=${text}`, "registry.example"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--timeout");
});

test("without a target, looks at this machine's files", async () => {
  const home = await temporaryDirectory();
  await mkdir(join(home, ".docker"));
  await writeFile(join(home, ".docker", "config.json"), '{"credsStore": "gone"}');
  const { code, stdout } = await gantry(["doctor"], {
    env: { HOME: home, PATH: "/nonexistent", https_proxy: "http://p.example:1" },
  });
  expect(code).toBe(1);
  expect(stdout).toContain("✓ proxy       https_proxy: https goes through http://p.example:1\n");
  expect(stdout).toContain("✗ files       docker-credential-gone, which");
  expect((await gantry(["doctor"])).code).toBe(0);
});

test("a target that is none is told as one", async () => {
  const { code, stdout } = await gantry(["doctor", "UPPER/app"]);
  expect(code).toBe(2);
  expect(stdout).toBe("");
});
