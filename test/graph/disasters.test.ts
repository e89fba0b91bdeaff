import { expect, onTestFinished, test } from "vitest";
import { createClient, type Client } from "../../src/index.ts";
import { RegistryError } from "../../src/oci/error.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { planRetention } from "../../src/policy/retain/plan-retention.ts";
import type { RetentionPolicy } from "../../src/policy/retain/retention.ts";
import { testService } from "../cli/service-scene.ts";
import { image, putImage, twoPlatforms } from "../support/images.ts";
import { testRegistry } from "../cli/support.ts";
import { cleanUp } from "./clean-up.ts";
import { disasters } from "./disasters.ts";

function testClient(): Client {
  const client = createClient({ env: {} });
  onTestFinished(() => client.close());
  return client;
}

test.each(disasters.map((one) => [one.name, one] as const))(
  "cleaned up in a registry, nothing breaks: %s",
  async (_, disaster) => {
    const { host, store } = await testRegistry({ sparse: true });
    const client = testClient();
    const app = store("app");
    await disaster.put(app);
    const plan = await cleanUp(client, `${host}/app`, disaster.keepTags);
    expect(plan.steps.map(({ id }) => id).toSorted()).toEqual(disaster.mayGo.toSorted());
    const applied = await client.apply(plan);
    expect(applied.complete, JSON.stringify([...applied.endings])).toBe(true);
    for (const digest of disaster.mustStay) expect(await app.manifest(digest), digest).toBeDefined();
    for (const digest of disaster.mayGo) expect(await app.head(digest), digest).toBeUndefined();
    for (const tag of disaster.keepTags) expect(await app.head(tag), tag).toBeDefined();
    // What was read before and is gone now is not taken for being there.
    expect((await cleanUp(client, `${host}/app`, disaster.keepTags)).steps).toEqual([]);
    expect((await client.apply(plan)).complete).toBe(true);
  },
);

test.each(disasters.map((one) => [one.name, one] as const))(
  "by a policy for retention, nothing breaks either: %s",
  async (_, disaster) => {
    const { host, store } = await testRegistry({ sparse: true });
    const app = store("app");
    await disaster.put(app);
    const client = testClient();
    const plan = async (): Promise<Plan> => {
      const inventory = await client.inventory(`${host}/app`);
      const pushed = Date.UTC(2026, 0);
      const manifests = new Map([...inventory.manifests].map(([digest, held]) => [digest, { ...held, pushed }]));
      const policy: RetentionPolicy = {
        version: 1,
        protect: disaster.keepTags,
        rules: [
          { delete: { olderThan: "30d" } },
          { untagged: true, delete: { olderThan: "30d" } },
          { orphaned: true, delete: { olderThan: "30d" } },
        ],
      };
      return planRetention(policy, { inventories: [{ ...inventory, manifests }] }, new Date("2026-11-20T14:05:00Z"));
    };
    const first = await plan();
    expect(first.notes.filter(({ level }) => level === "refused")).toEqual([]);
    expect(first.steps).not.toEqual([]);
    const applied = await client.apply(first);
    expect(applied.complete, JSON.stringify([...applied.endings])).toBe(true);
    for (const digest of disaster.mustStay) expect(await app.manifest(digest), digest).toBeDefined();
    for (const digest of disaster.mayGo) expect(await app.head(digest), digest).toBeUndefined();
    for (const tag of disaster.keepTags) {
      await client.copy(`${host}/app:${tag}`, `${host}/pulled:${tag}`);
      expect(await app.head(tag), tag).toBeDefined();
    }
    expect((await plan()).steps).toEqual([]);
    expect((await client.apply(first)).complete).toBe(true);
  },
);

test("a tag that moved to what was to go, since the plan was made, saves it", async () => {
  const { host, store } = await testRegistry();
  const client = testClient();
  await putImage(store("app"), image("old"), "0.9");
  await putImage(store("app"), image("new"), "1.0");
  const plan = await cleanUp(client, `${host}/app`, ["1.0"]);
  await store("app").putManifest(image("old").manifest, { tag: "stable" });
  const { endings } = await client.apply(plan);
  expect([...endings.values()]).toEqual([
    { outcome: "stale", why: "it has the tag stable, which the plan does not know of" },
  ]);
  expect(await store("app").head("stable")).toBeDefined();
});

test("a signature that came since the plan was made saves the image", async () => {
  const { host, store } = await testRegistry();
  const client = testClient();
  const old = image("old");
  await putImage(store("app"), old, "0.9");
  const plan = await cleanUp(client, `${host}/app`, []);
  await putImage(store("app"), image("signature"), `${old.manifest.descriptor.digest.replace(":", "-")}.sig`);
  const { endings } = await client.apply(plan);
  expect([...endings.values()]).toMatchObject([{ outcome: "stale", why: expect.stringMatching(/is attached to it$/) }]);
});

test("an index that cannot be deleted keeps its parts", async () => {
  const index = twoPlatforms("held");
  const { digest } = index.manifest.descriptor;
  const service = await testService({
    calls: (own) => ({
      async *deleteManifests(name, digests, call) {
        const error = new RegistryError("DENIED", "it is locked");
        for (const one of digests.filter((each) => each === digest)) yield { digest: one, outcome: "failed", error };
        yield* own.deleteManifests(
          name,
          digests.filter((each) => each !== digest),
          call,
        );
      },
    }),
  });
  const app = service.store("app");
  await putImage(app, index, "1.0");
  await putImage(app, image("other"), "0.9");
  const client = testClient();
  const { endings, complete } = await client.apply(await cleanUp(client, `${service.host}/app`, []));
  expect(complete).toBe(false);
  for (const child of index.children) {
    const part = child.manifest.descriptor.digest;
    expect(endings.get(part)).toMatchObject({
      outcome: "skipped",
      why: `it is needed: a part of the index ${digest}`,
    });
    expect(await app.head(part)).toBeDefined();
  }
  expect(endings.get(image("other").manifest.descriptor.digest)?.outcome).toBe("done");
});
