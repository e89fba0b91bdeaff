import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { authority, serverCertificate, serverKey } from "../test/transport/certificates.ts";
import { makeImage } from "./support/images.ts";
import { startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, type Running, start } from "./support/run.ts";

// `gantry serve` as a program: what it refuses, how it ends, and TLS.
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-serve-"));
  await makeImage(join(work, "layout"), { tag: "1.0" });
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

/** Starts it, and waits until it says where it listens. */
async function serve(...args: readonly string[]): Promise<Running & { readonly url: string }> {
  const running = start(gantryPath, ["serve", "--data", await mkdtemp(join(work, "data-")), ...args]);
  onTestFinished(() => void running.stop());
  await expect.poll(() => running.stderr(), { timeout: 20_000 }).toContain("listening on");
  return Object.assign(running, { url: /listening on (\S+),/.exec(running.stderr())![1]! });
}

test("ends with 0 on SIGTERM", async () => {
  const running = await serve("--listen", "127.0.0.1:0");
  running.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 0, stdout: "", stderr: expect.stringMatching(/stopping\n$/) });
});

test.each(["0.0.0.0:0", ":0", "[::]:0"])("does not listen on %s without users, unless --open", async (address) => {
  const args = ["serve", "--data", join(work, "open"), "--listen", address];
  const { code, stderr } = await gantry(...args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: .*other machines/) });
  if (address.startsWith("[")) return; // Not every machine has IPv6.
  const running = await serve("--listen", address, "--open");
  expect((await fetch(`${running.url.replace("0.0.0.0", "127.0.0.1")}/v2/`)).status).toBe(200);
});

test("refuses a port and a directory that are in use, in a sentence", async () => {
  await using registry = await startGantryRegistry();
  const port = await gantry("serve", "--data", join(work, "elsewhere"), "--listen", registry.host);
  expect(port).toMatchObject({ code: 1, stderr: expect.stringContaining("another program listens there") });
  const data = await gantry("serve", "--data", registry.dataDir, "--listen", "127.0.0.1:0");
  expect(data).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`another process serves ${registry.dataDir}`),
  });
});

test("speaks TLS, which clients check", async () => {
  const layout = join(work, "layout");
  const files = { "ca.pem": authority, "cert.pem": serverCertificate, "key.pem": serverKey };
  for (const [name, text] of Object.entries(files)) await writeFile(join(work, name), text);
  const tls = ["--tls-cert", join(work, "cert.pem"), "--tls-key", join(work, "key.pem")];
  const host = new URL((await serve("--listen", "127.0.0.1:0", ...tls)).url).host;
  const unknown = await gantry("push", layout, `${host}/app`);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/certificate[^]*--ca-file FILE/) });
  await must(gantry("push", "--ca-file", join(work, "ca.pem"), layout, `${host}/app`));
  await must(gantry("digest", "--tls-verify=false", `${host}/app:1.0`));
  const other = new URL((await serve("--listen", "127.0.0.2:0", ...tls)).url).host;
  const misnamed = await gantry("ls", "--ca-file", join(work, "ca.pem"), other);
  expect(misnamed).toMatchObject({ code: 1, stderr: expect.stringContaining("certificate for another name") });
});
