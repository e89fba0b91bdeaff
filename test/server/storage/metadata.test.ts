import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import type { InventoryPart, Metadata, StoredManifest } from "../../../src/server/storage/storage.ts";
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
const byDigestOf = (x: StoredManifest, y: StoredManifest): number =>
  x.descriptor.digest < y.descriptor.digest ? -1 : 1;
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

  describe("the inventory", () => {
    const times = (from: number): { now: () => number; pass: (milliseconds: number) => void } => {
      let at = from;
      return { now: () => at, pass: (milliseconds) => void (at += milliseconds) };
    };
    const start = Date.UTC(2026, 10, 20);
    const page = { limit: 1000, bytes: 1e6 };

    test("has each manifest with its tags, and when each came and was pulled", async () => {
      const clock = times(start);
      const { metadata } = await open(clock.now);
      const one = manifest("one", { artifactType: "a/b", subject: b });
      const two = { ...manifest("two"), created: "2026-01-02T03:04:05Z", platform: "linux/amd64" };
      expect(await metadata.inventory("app", page)).toBeUndefined();
      await put(metadata, "app", one, "v1", "latest");
      clock.pass(1000);
      await put(metadata, "app", two, "v2", "latest");
      await put(metadata, "other", one, "v1");
      clock.pass(1000);
      await put(metadata, "app", two, "v2");
      metadata.notePull("app", (await metadata.manifest("app", "v2"))!);
      const part = await metadata.inventory("app", page);
      const records = part!.records.map(({ manifest: held, ...more }) => ({
        manifest: { ...held, bytes: Buffer.from(held.bytes) },
        ...more,
      }));
      const wanted = [
        { manifest: one, pushed: start, tags: [{ name: "v1", moved: start }] },
        {
          manifest: two,
          pushed: start + 2000,
          pulled: start + 2000,
          tags: [
            { name: "latest", moved: start + 1000 },
            { name: "v2", moved: start + 1000 },
          ],
        },
      ];
      const byDigest = (list: typeof wanted): typeof wanted =>
        list.toSorted((x, y) => (x.manifest.descriptor.digest < y.manifest.descriptor.digest ? -1 : 1));
      expect([records, part!.next]).toEqual([byDigest(wanted), undefined]);
    });

    test("of a repository with blobs alone is empty", async () => {
      const { metadata } = await open();
      await metadata.linkBlob("app", { digest: a, size: 1 });
      expect(await metadata.inventory("app", page)).toEqual({ records: [] });
    });

    test("forgets what is deleted: pushed again, it was never pulled", async () => {
      const clock = times(start);
      const { metadata } = await open(clock.now);
      const one = manifest("one");
      await put(metadata, "app", one, "v1");
      metadata.notePull("app", (await metadata.manifest("app", "v1"))!);
      await metadata.deleteManifest("app", one.descriptor.digest);
      expect(await metadata.inventory("app", page)).toEqual({ records: [] });
      clock.pass(1000);
      await put(metadata, "app", one);
      const { records } = (await metadata.inventory("app", page))!;
      expect(records).toMatchObject([{ pushed: start + 1000, tags: [] }]);
      expect(records[0]).not.toHaveProperty("pulled");
    });

    test("makes no pull older where the clock was set back", async () => {
      const clock = times(start);
      const { metadata } = await open(clock.now);
      await put(metadata, "app", manifest("one"), "v1");
      metadata.notePull("app", (await metadata.manifest("app", "v1"))!);
      clock.pass(-86_400_000);
      metadata.notePull("app", (await metadata.manifest("app", "v1"))!);
      const [record] = (await metadata.inventory("app", page))!.records;
      expect(record?.pulled).toBe(start);
    });

    test("comes in pages that together are all, whatever their size", async () => {
      const { metadata } = await open();
      const tagsOf = (i: number): string[] => Array.from({ length: [0, 1, 4][i % 3]! }, (_, j) => `t${i}-${j}`);
      for (let i = 0; i < 9; i++) await put(metadata, "app", manifest(`m${i}`.padEnd(100, "x")), ...tagsOf(i));
      const rowsOf = (part: InventoryPart): string[] =>
        part.records.flatMap(({ manifest: { descriptor }, tags }) =>
          (tags.length > 0 ? tags : [{ name: "" }]).map(({ name }) => `${descriptor.digest} ${name}`),
        );
      const all = rowsOf((await metadata.inventory("app", page))!);
      expect([all.length, new Set(all).size]).toEqual([3 + 3 + 12, 18]);
      for (const size of [
        { limit: 1, bytes: 1e6 },
        { limit: 2, bytes: 1e6 },
        { limit: 3, bytes: 1e6 },
        { limit: 18, bytes: 1e6 },
        { limit: 100, bytes: 1 },
        { limit: 100, bytes: 250 },
      ]) {
        const found: string[] = [];
        let [pages, after]: [number, InventoryPart["next"]] = [0, undefined];
        do {
          const part: InventoryPart = (await metadata.inventory("app", { ...size, ...(after && { after }) }))!;
          const rows = rowsOf(part);
          expect(rows.length).toBeLessThanOrEqual(size.limit);
          found.push(...rows);
          after = part.next;
          pages++;
        } while (after && pages < 30);
        expect([size, found]).toEqual([size, all]);
        expect(pages).toBe({ 1: 18, 2: 9, 3: 6, 18: 1, 100: size.bytes === 1 ? 9 : 5 }[size.limit]);
      }
    });

    test("goes on where it was, though what is there has changed", async () => {
      const { metadata } = await open();
      const all = ["1", "2", "3"].map((text) => manifest(text)).sort(byDigestOf);
      for (const one of all) await put(metadata, "app", one, `t${one.bytes.toString()}`);
      const [first, second, third] = all.map(({ descriptor }) => descriptor.digest) as [Digest, Digest, Digest];
      const { next } = (await metadata.inventory("app", { ...page, limit: 2 }))!;
      expect(next?.digest).toBe(second);
      await metadata.deleteManifest("app", second);
      await metadata.deleteManifest("app", first);
      const { records } = (await metadata.inventory("app", { ...page, after: next! }))!;
      expect(records.map((record) => record.manifest.descriptor.digest)).toEqual([third]);
      expect(await metadata.inventory("app", { ...page, after: { digest: third, tag: "zz" } })).toEqual({
        records: [],
      });
    });
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
