import { describe, expect, test } from "vitest";
import { parseManifest } from "../../../src/oci/manifest.ts";
import { streamOf } from "../../../src/oci/stream.ts";
import { fallbackTag } from "../../../src/store/remote/fallback.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import { remoteShared } from "../../../src/store/remote/shared.ts";
import type { Res } from "../../../src/transport/transport.ts";
import { all, expectCode } from "../../contract/store.ts";
import { artifact, image, twoPlatforms, type TestImage } from "../../support/images.ts";
import { openFake, onRequest, type Opened } from "./setup.ts";

const subject = image("subject");
const { digest } = subject.manifest.descriptor;
const tag = fallbackTag(digest);
const attached = ["a", "b", "c"].map((seed) =>
  artifact(seed, subject.manifest.descriptor, { type: `application/vnd.example.${seed}` }),
);
const [first] = attached as [TestImage, TestImage, TestImage];

async function put({ store, log }: Opened, images: readonly TestImage[] = attached): Promise<void> {
  for (const { manifest } of images) await store.putManifest(manifest);
  log();
}

function listed({ fake }: Opened): readonly string[] {
  const { tags, manifests } = fake.repositories.get("app")!;
  const index = tags.has(tag) ? parseManifest(manifests.get(tags.get(tag)!)!.bytes) : undefined;
  return index?.manifests.map((one) => one.digest) ?? [];
}

const digests = (images: readonly TestImage[]): readonly string[] =>
  images.map(({ manifest }) => manifest.descriptor.digest);

describe("by the API", () => {
  test("one GET, and no fallback tag is written", async () => {
    const opened = openFake();
    await put(opened);
    expect(await all(opened.store.referrers(digest))).toEqual(attached.map(({ manifest }) => manifest.descriptor));
    expect(opened.log()).toEqual([`GET /v2/app/referrers/${digest}`]);
    expect(opened.fake.repositories.get("app")!.tags.size).toBe(0);
  });

  test("in pages", async () => {
    const opened = openFake({ pageSize: 2 });
    await put(opened);
    expect(await all(opened.store.referrers(digest))).toHaveLength(3);
    expect(opened.log()).toHaveLength(2);
    const looping = openFake({ pageSize: 2, link: "loop" });
    await put(looping);
    expect(await all(looping.store.referrers(digest))).toHaveLength(2);
  });

  test.each([{}, { filter: "ignored" }] as const)(
    "filtered by type, by the registry or here: %o",
    async (behaviour) => {
      const opened = openFake(behaviour);
      await put(opened);
      const found = await all(opened.store.referrers(digest, { artifactType: "application/vnd.example.b" }));
      expect(found.map((one) => one.artifactType)).toEqual(["application/vnd.example.b"]);
    },
  );
});

describe("by the fallback tag", () => {
  test.each([404, 405, 200])("where the API answers %i, which is asked only once", async (noReferrers) => {
    const opened = openFake({ noReferrers });
    await put(opened);
    expect(listed(opened)).toEqual(digests(attached));
    expect(await all(opened.store.referrers(digest))).toEqual(attached.map(({ manifest }) => manifest.descriptor));
    expect(opened.log()).toEqual([`GET /v2/app/referrers/${digest}`, `GET /v2/app/manifests/${tag}`]);
    expect(await all(opened.store.referrers(digest, { artifactType: "application/vnd.example.b" }))).toHaveLength(1);
    expect(opened.log()).toEqual([`GET /v2/app/manifests/${tag}`]);
  });

  test("is not asked for where the tags are known and it is not among them", async () => {
    const { store, log } = openFake({ noReferrers: 404 });
    expect(await all(store.referrers(digest, { knownTags: new Set(["v1"]) }))).toEqual([]);
    expect(log()).toEqual([`GET /v2/app/referrers/${digest}`]);
  });

  test("an unknown repository says nothing of the host", async () => {
    const shared = remoteShared("registry.example");
    const body = JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "no such repository" }] });
    const transport = async (): Promise<Res> => ({ status: 404, headers: {}, body: streamOf(Buffer.from(body)) });
    const store = remoteStore({ transport, registry: "registry.example", repository: "app", shared });
    expect(await all(store.referrers(digest))).toEqual([]);
    expect(shared.referrers).toBe("unknown");
  });

  test("any other failure of the API is thrown", async () => {
    const { store } = openFake({}, [onRequest("GET", "/referrers/", { fault: "answer", status: 403 })]);
    await expectCode("DENIED", () => all(store.referrers(digest)));
  });

  test("referrers pushed at once are all listed", async () => {
    const opened = openFake({ noReferrers: 404 });
    const many = Array.from({ length: 12 }, (_, i) => artifact(`many ${i}`, subject.manifest.descriptor));
    await Promise.all(many.map(({ manifest }) => opened.store.putManifest(manifest)));
    expect([...listed(opened)].sort()).toEqual([...digests(many)].sort());
  });

  test("a writer elsewhere that comes between does not take ours away", async () => {
    const opened = openFake({ noReferrers: 404 });
    const { fake } = opened;
    const theirs = artifact("theirs", subject.manifest.descriptor);
    const thief = openFake({ noReferrers: 404 });
    thief.fake.repositories.set(
      "app",
      fake.repositories.get("app") ?? { blobs: new Map(), manifests: new Map(), tags: new Map() },
    );
    fake.repositories.set("app", thief.fake.repositories.get("app")!);
    await thief.store.putManifest(theirs.manifest);
    const theirIndex = fake.repositories.get("app")!.tags.get(tag)!;
    let interfered = false;
    const { log } = fake;
    const push = log.push.bind(log);
    log.push = (...lines) => {
      const afterOurWrite = lines[0] === `HEAD /v2/app/manifests/${tag}` && !interfered;
      if (afterOurWrite) {
        interfered = true;
        fake.repositories.get("app")!.tags.set(tag, theirIndex);
      }
      return push(...lines);
    };
    await opened.store.putManifest(first.manifest);
    expect([...listed(opened)].sort()).toEqual([...digests([theirs, first])].sort());
  });

  test("pushing one again changes nothing", async () => {
    const opened = openFake({ noReferrers: 404 });
    await put(opened, [first]);
    await opened.store.putManifest(first.manifest);
    expect(opened.log().filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  });

  test("deleting a referrer takes it off the list, and the list with the last one", async () => {
    const opened = openFake({ noReferrers: 404 });
    await put(opened);
    const [gone, ...kept] = attached as [TestImage, ...TestImage[]];
    await opened.store.deleteManifest(gone.manifest.descriptor.digest);
    expect(listed(opened)).toEqual(digests(kept));
    for (const { manifest } of kept) await opened.store.deleteManifest(manifest.descriptor.digest);
    expect(opened.fake.repositories.get("app")!.tags.has(tag)).toBe(false);
  });

  test("the list is emptied where tags cannot be deleted", async () => {
    const opened = openFake({ noReferrers: 404, deleteTag: 405 });
    await put(opened, [first]);
    await opened.store.deleteManifest(first.manifest.descriptor.digest);
    expect(opened.fake.repositories.get("app")!.tags.has(tag)).toBe(true);
    expect(listed(opened)).toEqual([]);
  });

  test("a registry that reads the tag as the digest does not make children into referrers", async () => {
    const opened = openFake({ noReferrers: 404, tagsAreDigests: true });
    const index = twoPlatforms("trap");
    await opened.store.putManifest(index.manifest);
    expect(await all(opened.store.referrers(index.manifest.descriptor.digest))).toEqual([]);
  });

  test("a tag that holds something else is not written over", async () => {
    const opened = openFake({ noReferrers: 404 });
    await opened.store.putManifest(image("squatter").manifest, { tag });
    await expectCode("CONFLICT", () => opened.store.putManifest(first.manifest));
    expect(opened.fake.repositories.get("app")!.tags.get(tag)).toBe(image("squatter").manifest.descriptor.digest);
  });
});
