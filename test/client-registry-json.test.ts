import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { createClient, type ClientOptions } from "../src/client.ts";
import { testRegistry } from "./cli/support.ts";
import * as images from "./support/images.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const app = images.twoPlatforms("app");

/** The digest that is found at `from`, with what is in a registry.json of the user's. */
async function find(from: string, said: unknown, options: ClientOptions = {}): Promise<string | undefined> {
  const home = await temporaryDirectory();
  await mkdir(join(home, ".ossb"));
  await writeFile(join(home, ".ossb", "registry.json"), typeof said === "string" ? said : JSON.stringify(said));
  const client = createClient({ retries: 0, ...options, env: { HOME: home, ...options.env } });
  onTestFinished(() => client.close());
  const { store, ref } = client.open(from, "pull");
  return (await store.head(ref!))?.digest;
}

test("mirrors of a registry.json are asked, where nobody else names any", async () => {
  const { host, store } = await testRegistry();
  await images.putImage(store("hub/app"), app, "1");
  const mirrors = { "gone.invalid": [`${host}/hub`] };
  expect(await find("gone.invalid/app:1", { mirrors })).toBe(app.manifest.descriptor.digest);
  const none = { hosts: { "gone.invalid": { mirrors: [] } } };
  await expect(find("gone.invalid/app:1", { mirrors }, none)).rejects.toMatchObject({ host: "gone.invalid" });
  await expect(find("gone.invalid/app:1", `{"mirrors": `)).rejects.toMatchObject({ code: "INVALID" });
});

test("hosts that a registry.json calls insecure may speak plain HTTP; so those of OSSB_INSECURE_REGISTRIES", async () => {
  const { host, store } = await testRegistry();
  await images.putImage(store("app"), app, "1");
  const from = `registry.example:${host.split(":")[1]}/app:1`;
  const way = { hosts: { "*": { address: "127.0.0.1", proxy: false } } } as const;
  await expect(find(from, {}, way)).rejects.toMatchObject({ code: "NETWORK" });
  expect(await find(from, { insecure: ["registry.*"] }, way)).toBe(app.manifest.descriptor.digest);
  const env = { OSSB_INSECURE_REGISTRIES: "other.example, registry.*" };
  expect(await find(from, {}, { ...way, env })).toBe(app.manifest.descriptor.digest);
  expect(await find(from, {}, { ...way, env: { ...env, OSSB_REGISTRY_CONFIG: "/dev/null" } })).toBe(
    app.manifest.descriptor.digest,
  );
  const config = join(await temporaryDirectory(), "config.yaml");
  await writeFile(config, stringify({ insecure: ["registry.*"] }));
  expect(await find(from, {}, { ...way, env: { OSSB_REGISTRY_CONFIG: config } })).toBe(app.manifest.descriptor.digest);
});
