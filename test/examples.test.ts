import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createClient } from "../src/client.ts";
import { createRegistry, memoryStorage } from "../src/server/index.ts";
import * as images from "./support/images.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../examples");
const example = async (file: string, ...args: string[]) =>
  (await run(process.execPath, [join(folder, file), ...args])).stdout;

test("every example is run here", () => {
  expect(globSync("*.ts", { cwd: folder }).sort()).toEqual([
    "copy-and-check.ts",
    "own-middleware.ts",
    "promote-with-a-gate.ts",
    "registry-without-a-socket.ts",
  ]);
});

test("copy-and-check.ts", async () => {
  const listening = await createRegistry({ storage: memoryStorage() }).listen({ host: "127.0.0.1", port: 0 });
  const client = createClient();
  const image = images.twoPlatforms("example");
  await images.putImage(client.open(`${listening.host}/app`).store, image, "v1");
  const said = await example("copy-and-check.ts", `${listening.host}/app:v1`, `${listening.host}/copy`);
  expect(JSON.parse(said)).toMatchObject({ digest: image.manifest.descriptor.digest, findings: [] });
  await client.close();
  await listening.close();
});

test("promote-with-a-gate.ts", async () => {
  const listening = await createRegistry({ storage: memoryStorage() }).listen({ host: "127.0.0.1", port: 0 });
  const client = createClient();
  const image = images.image("example");
  const { digest } = image.manifest.descriptor;
  await images.putImage(client.open(`${listening.host}/app`).store, image, "1.2.3");
  const prod = `${listening.host}/prod/app`;
  const said = await example("promote-with-a-gate.ts", `${listening.host}/app:1.2.3`, `${listening.host}/prod/{name}`);
  expect(JSON.parse(said)).toEqual({
    steps: [`copy ${prod}:1.2.3`, `tag ${prod}:1.2`, `tag ${prod}:stable`, `attach ${prod}@${digest}`],
    complete: true,
    refused: [],
  });
  expect((await client.open(prod).store.head("stable"))?.digest).toBe(digest);
  await client.close();
  await listening.close();
});

test("registry-without-a-socket.ts", async () => {
  expect(await example("registry-without-a-socket.ts")).toMatch(
    /^application\/vnd\.example\.notes sha256:[0-9a-f]{64}\n$/,
  );
});

test("own-middleware.ts", async () => {
  expect(await example("own-middleware.ts")).toBe("nothing there\n{ HEAD: 1 }\n");
});
