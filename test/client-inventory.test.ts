import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createClient, type Client } from "../src/index.ts";
import { generic } from "../src/provider/generic.ts";
import { protocolService } from "../src/provider/protocol.ts";
import type { Quirks } from "../src/provider/quirks.ts";
import { layoutStore } from "../src/store/index.ts";
import { testService } from "./cli/service-scene.ts";
import { testRegistry } from "./cli/support.ts";
import { artifact, image, putImage, twoPlatforms } from "./support/images.ts";
import { temporaryDirectory } from "./support/temporary.ts";

function testClient(): Client {
  const client = createClient({ env: {} });
  onTestFinished(() => client.close());
  return client;
}

describe("the inventory of a service", () => {
  const read = async (quirks: Partial<Quirks>, sparing?: boolean): Promise<boolean[]> => {
    const service = await testService({ quirks });
    await putImage(service.store("app"), image("a"), "1");
    const { manifests } = await testClient().inventory(`${service.host}/app`, sparing === undefined ? {} : { sparing });
    return [...manifests.values()].map((held) => held.unread === true);
  };

  test.each([
    ["free", undefined, false],
    ["free", true, false],
    ["recorded", undefined, true],
    ["recorded", false, false],
    ["limited", undefined, true],
    ["limited", false, false],
  ] as const)("where a GET of a manifest is %s, and sparing is %s: unread %s", async (manifestGet, sparing, unread) => {
    expect(await read({ manifestGet }, sparing)).toEqual([unread]);
  });

  test("has the moments that the service tells", async () => {
    const service = await testService();
    await putImage(service.store("app"), image("a"), "1");
    const { manifests, listsUntagged } = await testClient().inventory(`${service.host}/app`);
    expect(listsUntagged).toBe(true);
    expect([...manifests.values()]).toMatchObject([{ pushed: Date.parse("2026-11-20T14:05:00Z") }]);
  });

  test("goes no further than tags where manifests are never deleted, and reading them is limited", async () => {
    const service = await testService({
      quirks: { manifestGet: "limited", lists: "tags" },
      impossible: ["deleteManifests"],
    });
    const index = twoPlatforms("a");
    await putImage(service.store("app"), index, "1");
    await putImage(service.store("app"), artifact("note", index.manifest.descriptor));
    const { manifests, listsUntagged } = await testClient().inventory(`${service.host}/app`);
    expect([[...manifests.keys()], listsUntagged]).toEqual([[index.manifest.descriptor.digest], false]);
  });
});

test("what a service lists by reading every image, in want of a login, is read by tags once and not twice", async () => {
  const service = await testService({
    quirks: { lists: "manifests" },
    calls: (_, context) => ({ images: (name, call) => protocolService(generic, context).images(name, call) }),
  });
  await putImage(service.store("app"), image("a"), "1");
  await putImage(service.store("app"), artifact("note", image("a").manifest.descriptor));
  const { manifests, listsUntagged } = await testClient().inventory(`${service.host}/app`);
  expect([manifests.size, listsUntagged]).toEqual([2, false]);
});

test("the inventory of a layout has what has no name, its parts, and what is attached", async () => {
  const path = join(await temporaryDirectory(), "images");
  const store = layoutStore(path);
  const index = twoPlatforms("a");
  await putImage(store, index, "1.0");
  await putImage(store, artifact("note", index.children[1]!.manifest.descriptor));
  await putImage(store, image("lost"));
  const { repository, manifests, tags, gaps, listsUntagged } = await testClient().inventory(`oci:${path}`);
  expect([repository, manifests.size, [...tags.keys()], gaps, listsUntagged]).toEqual([
    `oci:${path}`,
    5,
    ["1.0"],
    [],
    true,
  ]);
});

test("a client reads again what may have changed", async () => {
  const { host, store } = await testRegistry();
  const client = testClient();
  await putImage(store("app"), image("a"), "1");
  await client.inventory(`${host}/app`);
  await putImage(store("app"), image("b"), "1");
  await putImage(store("app"), artifact("note", image("b").manifest.descriptor));
  const { tags, manifests } = await client.inventory(`${host}/app`);
  expect(tags.get("1")).toBe(image("b").manifest.descriptor.digest);
  expect(manifests.size).toBe(3);
});

test("what is known of one repository is not taken for being in another", async () => {
  const { host, store } = await testRegistry({ sparse: true });
  const client = testClient();
  const index = twoPlatforms("a");
  await putImage(store("whole"), index, "1");
  await putImage(store("sparse"), { ...index, children: [] }, "1");
  expect((await client.inventory(`${host}/whole`)).manifests.size).toBe(3);
  expect((await client.inventory(`${host}/sparse`)).manifests.size).toBe(1);
});
