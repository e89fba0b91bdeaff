import { describe, expect, test } from "vitest";
import { expectCode } from "../../contract/store.ts";
import type { Behaviour } from "../../support/fake-registry.ts";
import { image } from "../../support/images.ts";
import { onRequest, openFake, type Opened } from "./setup.ts";

const { manifest } = image("doomed");
const { digest } = manifest.descriptor;

async function openWithTags(behaviour: Behaviour = {}): Promise<Opened> {
  const opened = openFake(behaviour);
  for (const tag of ["a", "b"]) await opened.store.putManifest(manifest, { tag });
  opened.log();
  return opened;
}

test("a tag is deleted by its name, and nothing else is", async () => {
  const { store, log, fake } = await openWithTags();
  await store.deleteTag("a");
  expect(log()).toEqual(["DELETE /v2/app/manifests/a"]);
  expect([...fake.repositories.get("app")!.tags.keys()]).toEqual(["b"]);
});

describe("a registry that deletes no tags", () => {
  test.each([400, 404, 405])("and answers %i is UNSUPPORTED, with no way around tried", async (deleteTag) => {
    const { store, log, fake } = await openWithTags({ deleteTag });
    await expect(store.deleteTag("a")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("all its tags"),
    });
    expect(log()).toEqual(["DELETE /v2/app/manifests/a", "HEAD /v2/app/manifests/a"]);
    expect(fake.repositories.get("app")!.tags.size).toBe(2);
    await expectCode("MANIFEST_UNKNOWN", () => store.deleteTag("absent"));
  });
});

test("a tag that is not there is MANIFEST_UNKNOWN", async () => {
  const { store } = await openWithTags();
  await expectCode("MANIFEST_UNKNOWN", () => store.deleteTag("absent"));
});

test("a manifest that cannot be read can be deleted", async () => {
  const { store, fake } = await openWithTags();
  fake.repositories.get("app")!.manifests.set(digest, { bytes: Buffer.from("rotten"), mediaType: "text/plain" });
  await store.deleteManifest(digest);
  expect(fake.repositories.get("app")!.manifests.size).toBe(0);
});

test("a deletion whose answer was lost is done; one that did not get through is sent again", async () => {
  const lost = openFake({}, [onRequest("DELETE", "manifests", { fault: "drop", on: "head" }, 1)]);
  await lost.store.putManifest(manifest, { tag: "a" });
  await lost.store.deleteTag("a");
  expect(lost.fake.log.filter((line) => line.startsWith("DELETE"))).toHaveLength(1);
  const refused = openFake({}, [onRequest("DELETE", "manifests", { fault: "answer", status: 503 }, 1)]);
  await refused.store.putManifest(manifest, { tag: "a" });
  await refused.store.deleteTag("a");
  expect(refused.fake.repositories.get("app")!.tags.size).toBe(0);
  expect(refused.clock.waits).toHaveLength(1);
});

test("nothing is sent again without retries", async () => {
  const { again, clock } = openFake({}, [onRequest("DELETE", "manifests", { fault: "answer", status: 503 })]);
  await again(0).putManifest(manifest, { tag: "a" });
  await expectCode("UNAVAILABLE", () => again(0).deleteTag("a"));
  expect(clock.waits).toEqual([]);
  await expectCode("UNAVAILABLE", () => again(2).deleteTag("a"));
  expect(clock.waits).toHaveLength(2);
});

test("a manifest goes by its digest", async () => {
  const { store, shared, log } = await openWithTags();
  shared.referrers = "api";
  await store.deleteManifest(digest);
  expect(log()).toEqual([`DELETE /v2/app/manifests/${digest}`]);
  await expectCode("MANIFEST_UNKNOWN", () => store.deleteManifest(digest));
});

test.each([405, 400])("a registry with deleting switched off answers %i: UNSUPPORTED", async (deleteDigest) => {
  const { store } = await openWithTags({ deleteDigest });
  await expect(store.deleteManifest(digest)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    status: deleteDigest,
    hint: expect.any(String),
  });
});
