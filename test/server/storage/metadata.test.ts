import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import type { Metadata, StoredManifest } from "../../../src/server/storage/storage.ts";
import { storages } from "./storages.ts";

const a = digestOf("a");
const b = digestOf("b");

function manifest(text: string, more: { artifactType?: string; subject?: Digest } = {}): StoredManifest {
  const { artifactType, subject } = more;
  const bytes = Buffer.from(text);
  const descriptor = {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(bytes),
    size: bytes.length,
    ...(artifactType && { artifactType }),
  };
  return { descriptor, bytes, ...(subject && { subject }) };
}
const put = (
  metadata: Metadata,
  repository: string,
  stored: StoredManifest,
  ...tags: string[]
): Promise<Digest | undefined> => metadata.putManifest(repository, stored, { tags, needs: [] });

describe.each(storages)("metadata in %s", (_, open) => {
  test("knows a blob in the repositories it is linked in", async () => {
    const { metadata } = await open();
    expect(await metadata.blob("app", a)).toBeUndefined();
    await metadata.linkBlob("app", { digest: a, size: 1 });
    await metadata.linkBlob("lib", { digest: a, size: 1 });
    expect(await metadata.blob("app", a)).toBe(1);
    expect(await metadata.blob("other", a)).toBeUndefined();
    expect([...(await metadata.holders(a, 10))].sort()).toEqual(["app", "lib"]);
    expect(await metadata.holders(a, 1)).toHaveLength(1);
    expect(await metadata.unlinkBlob("app", a)).toBe(true);
    expect(await metadata.unlinkBlob("app", a)).toBe(false);
    expect(await metadata.unlinkBlob("nowhere", a)).toBe(false);
    expect(await metadata.blob("app", a)).toBeUndefined();
    expect(await metadata.blob("lib", a)).toBe(1);
    expect(await metadata.holders(a, 10)).toEqual(["lib"]);
  });

  test("a blob linked again has its new size", async () => {
    const { metadata } = await open();
    await metadata.linkBlob("app", { digest: a, size: 1 });
    expect(await metadata.blob("app", a)).toBe(1);
    await metadata.linkBlob("app", { digest: a, size: 2 });
    expect(await metadata.blob("app", a)).toBe(2);
  });

  test("finds a manifest by digest and by tag, with every field of it", async () => {
    const { metadata } = await open();
    const one = manifest("one", { artifactType: "a/b", subject: b });
    expect(await metadata.manifest("app", "v1")).toBeUndefined();
    await put(metadata, "app", one, "v1", "v2");
    for (const ref of ["v1", "v2", one.descriptor.digest, "v1"]) {
      const found = await metadata.manifest("app", ref);
      expect({ ...found, bytes: Buffer.from(found!.bytes) }).toEqual(one);
    }
    expect(await metadata.manifest("other", "v1")).toBeUndefined();
  });

  test("a tag that is moved is moved for every later read", async () => {
    const { metadata } = await open();
    const [one, two] = [manifest("one"), manifest("two")];
    for (const next of [one, two, one]) {
      await put(metadata, "app", next, "latest");
      expect((await metadata.manifest("app", "latest"))?.descriptor).toEqual(next.descriptor);
    }
  });

  test("what needs something that is not there is not stored, and says what is missing", async () => {
    const { metadata } = await open();
    const parent = manifest("parent");
    const child = manifest("child");
    const needs = [a, child.descriptor.digest];
    const putParent = (): Promise<Digest | undefined> => metadata.putManifest("app", parent, { tags: ["v1"], needs });
    expect(await putParent()).toBe(a);
    expect(await metadata.tags("app", { limit: 10 })).toBeUndefined();
    await metadata.linkBlob("app", { digest: a, size: 1 });
    expect(await putParent()).toBe(child.descriptor.digest);
    expect(await metadata.manifest("app", "v1")).toBeUndefined();
    await put(metadata, "app", child);
    expect(await putParent()).toBeUndefined();
    expect((await metadata.manifest("app", "v1"))?.descriptor).toEqual(parent.descriptor);
  });

  test("a tag goes alone, a manifest with its tags", async () => {
    const { metadata } = await open();
    const [one, two] = [manifest("one"), manifest("two")];
    await put(metadata, "app", one, "a", "b");
    await put(metadata, "app", two, "c");
    await put(metadata, "lib", one, "a");
    for (const ref of ["a", "b", "c"]) await metadata.manifest("app", ref);
    expect(await metadata.deleteTag("app", "a")).toBe(true);
    expect(await metadata.deleteTag("app", "a")).toBe(false);
    expect(await metadata.deleteTag("nowhere", "a")).toBe(false);
    expect(await metadata.manifest("app", "a")).toBeUndefined();
    expect(await metadata.tags("app", { limit: 10 })).toEqual(["b", "c"]);
    expect(await metadata.deleteManifest("app", one.descriptor.digest)).toBe(true);
    expect(await metadata.deleteManifest("app", one.descriptor.digest)).toBe(false);
    expect(await metadata.deleteManifest("nowhere", one.descriptor.digest)).toBe(false);
    expect(await metadata.manifest("app", "b")).toBeUndefined();
    expect(await metadata.manifest("app", one.descriptor.digest)).toBeUndefined();
    expect(await metadata.tags("app", { limit: 10 })).toEqual(["c"]);
    expect((await metadata.manifest("lib", "a"))?.descriptor).toEqual(one.descriptor);
  });

  test("lists tags and repositories by pages in byte order", async () => {
    const { metadata } = await open();
    expect(await metadata.repositories({ limit: 10 })).toEqual([]);
    for (const repository of ["b", "a/c", "a", "a-b"])
      await put(metadata, repository, manifest("one"), "z", "B", "a", "_");
    await metadata.linkBlob("only-blobs", { digest: a, size: 1 });
    expect(await metadata.tags("a", { limit: 10 })).toEqual(["B", "_", "a", "z"]);
    expect(await metadata.tags("a", { limit: 2, after: "B" })).toEqual(["_", "a"]);
    expect(await metadata.tags("a", { limit: 0 })).toEqual([]);
    expect(await metadata.tags("only-blobs", { limit: 10 })).toEqual([]);
    expect(await metadata.tags("nowhere", { limit: 10 })).toBeUndefined();
    expect(await metadata.repositories({ limit: 10 })).toEqual(["a", "a-b", "a/c", "b"]);
    expect(await metadata.repositories({ limit: 2, after: "a" })).toEqual(["a-b", "a/c"]);
  });

  test("lists referrers by pages, by type, and up to a weight", async () => {
    const { metadata } = await open();
    const all = ["1", "2", "3", "4"].map((text) =>
      manifest(text, { artifactType: text > "2" ? "late/late" : "early/early", subject: b }),
    );
    for (const one of all) await put(metadata, "app", one);
    await put(metadata, "app", manifest("5", { subject: a }));
    const digests = all.map(({ descriptor }) => descriptor.digest).sort();
    const page = { limit: 10, bytes: 1e6 };
    const list = async (more: object): Promise<object> => {
      const { descriptors, more: rest } = await metadata.referrers("app", b, { ...page, ...more });
      return { digests: descriptors.map(({ digest }) => digest), rest };
    };
    expect(await list({})).toEqual({ digests, rest: false });
    expect(await list({ limit: 3 })).toEqual({ digests: digests.slice(0, 3), rest: true });
    expect(await list({ limit: 3, after: digests[2] })).toEqual({ digests: digests.slice(3), rest: false });
    expect(await list({ bytes: 1 })).toEqual({ digests: digests.slice(0, 1), rest: true });
    const late = all.slice(2).map(({ descriptor }) => descriptor.digest);
    expect(await list({ artifactTypes: ["late/late", "no/no"] })).toEqual({ digests: late.sort(), rest: false });
    expect(await metadata.referrers("nowhere", b, page)).toEqual({ descriptors: [], more: false });
    await metadata.deleteManifest("app", digests[0]!);
    expect(await list({})).toEqual({ digests: digests.slice(1), rest: false });
  });

  test("many writers at once all get what they wrote", async () => {
    const { metadata } = await open();
    const texts = Array.from({ length: 200 }, (_, i) => `m${i}`);
    await Promise.all(texts.map((text) => put(metadata, `app${text.length}`, manifest(text), text)));
    for (const text of texts) {
      expect((await metadata.manifest(`app${text.length}`, text))?.descriptor.digest).toBe(digestOf(text));
    }
  });
});
