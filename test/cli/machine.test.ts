import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createRegistry, memoryStorage } from "../../src/server/index.ts";
import { remoteStore } from "../../src/store/index.ts";
import { testCertificate, testKey } from "../server/certificate.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry } from "./support.ts";

// What other programs keep in the home directory has its effect, without a flag.
async function homeWith(path: string, content: unknown): Promise<{ readonly HOME: string }> {
  const home = await temporaryDirectory();
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(content));
  return { HOME: home };
}

test("a registry.json says which hosts are insecure", async () => {
  const registry = createRegistry({ storage: memoryStorage() });
  onTestFinished(() => registry.close());
  const tls = { cert: testCertificate, key: testKey };
  const { host } = await registry.listen({ host: "127.0.0.1", port: 0, tls });
  await putImage(remoteStore({ transport: registry.transport, registry: host, repository: "app" }), image("app"), "1");
  const line = ["ls", "--retries", "0", `${host}/app`];
  expect((await gantry(line)).code).toBe(1);
  const env = await homeWith(".ossb/registry.json", { insecure: [host] });
  expect(await gantry(line, { env })).toMatchObject({ code: 0, stdout: "1\n" });
  expect((await gantry(line, { env: { OSSB_INSECURE_REGISTRIES: host } })).code).toBe(0);
});

test("a registry.json names mirrors", async () => {
  const mirror = await testRegistry();
  await putImage(mirror.store("app"), image("app"), "1");
  const env = await homeWith(".ossb/registry.json", { mirrors: { "registry.invalid": [mirror.host] } });
  expect(await gantry(["digest", "registry.invalid/app:1"], { env })).toMatchObject({ code: 0 });
});

test("Docker's HttpHeaders go along, but for its own name", async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(`${headers["x-meta"] as string} ${headers["user-agent"]?.split("/")[0]}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const env = await homeWith(".docker/config.json", { HttpHeaders: { "X-Meta": "a", "User-Agent": "Docker-Client" } });
  await gantry(["digest", `127.0.0.1:${(server.address() as AddressInfo).port}/app:1`], { env });
  expect(new Set(seen)).toEqual(new Set(["a gantry"]));
});
