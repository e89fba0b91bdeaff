import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client } from "../src/index.ts";
import { artifact, image, putImage } from "../test/support/images.ts";
import { cleanUp } from "../test/graph/clean-up.ts";
import { disasters } from "../test/graph/disasters.ts";
import { openClients, type Clients } from "./support/clients.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, startGantryRegistry, type RunningRegistry } from "./support/registries.ts";

const registries = [
  ["docker-registry", startDockerRegistry],
  ["gantry serve", startGantryRegistry],
] as const;

for (const [name, open] of registries) {
  describeWith(["docker-registry", "crane", "skopeo"], `what cleaning up has broken elsewhere, in ${name}`, () => {
    let registry: RunningRegistry;
    let client: Client;
    let clients: Clients;
    let home: string;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "gantry-e2e-graph-"));
      [registry, clients] = [await open(), await openClients(home)];
      client = createClient({ env: {} });
    });
    afterAll(async () => {
      await client.close();
      await registry.stop();
      await rm(home, { recursive: true, force: true });
    });

    const whole = disasters.filter((one) => !one.sparse);
    test.each(whole.map((one, i) => [one.name, one, i] as const))("%s", async (_, disaster, i) => {
      const repository = `${registry.host}/disaster${i}`;
      const { store } = client.open(repository);
      await disaster.put(store);
      const { endings, complete } = await client.apply(await cleanUp(client, repository, disaster.keepTags));
      expect(complete, JSON.stringify([...endings])).toBe(true);
      for (const digest of disaster.mustStay) expect(await store.head(digest), digest).toBeDefined();
      for (const digest of disaster.mayGo) expect(await store.head(digest), digest).toBeUndefined();
      for (const tag of disaster.keepTags) {
        const pulled = await clients.crane(
          "pull",
          "--format",
          "oci",
          `${repository}:${tag}`,
          join(home, `${i}-${tag}`),
        );
        expect(pulled.code, pulled.stderr).toBe(0);
        if (disaster.nested) continue;
        const copied = await clients.skopeo(
          "copy",
          "--all",
          `docker://${repository}:${tag}`,
          `dir:${join(home, `${i}-${tag}-dir`)}`,
        );
        expect(copied.code, copied.stderr).toBe(0);
      }
      expect((await cleanUp(client, repository, disaster.keepTags)).steps).toEqual([]);
    });

    test("an image goes with all that is attached to it, and leaves no list of that behind", async () => {
      const repository = `${registry.host}/attached`;
      const { store } = client.open(repository);
      const old = image("with many attachments");
      await putImage(store, old, "1.0");
      for (let i = 0; i < 12; i++) await putImage(store, artifact(`note ${i}`, old.manifest.descriptor));
      await putImage(store, image("kept"), "1.1");
      const { endings, complete } = await client.apply(await cleanUp(client, repository, ["1.1"]));
      expect(complete, JSON.stringify([...endings])).toBe(true);
      expect(await Array.fromAsync(store.tags())).toEqual(["1.1"]);
    });
  });
}
