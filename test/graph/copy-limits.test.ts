import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { buildManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { check } from "../../src/graph/check.ts";
import { copier, type CopyOptions, type Outcome } from "../../src/graph/copy.ts";
import { copyTags } from "../../src/graph/copy-tags.ts";
import { nestingLimit } from "../../src/graph/nesting.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ByteStream } from "../../src/oci/stream.ts";
import type { Source, Store } from "../../src/store/store.ts";
import * as images from "../support/images.ts";
import { damaged } from "./damaged.ts";

const copyOne = async (from: Source, to: Store, options?: CopyOptions): Promise<Outcome> =>
  (await copier(from, [{ store: to }], options).copy("v1", "v1"))[0]!;
const tooDeep = {
  error: {
    code: "TOO_LARGE",
    side: "source",
    message: expect.stringContaining("host.example/app:v1 has indexes nested"),
  },
};

/** A store with an image in so many indexes. */
async function nested(depth: number): Promise<Store> {
  const store = memoryStore("host.example/app");
  await images.putImage(store, images.nested("nested", depth), "v1");
  return store;
}

describe("indexes in indexes", () => {
  test.each<CopyOptions>([{}, { convert: "oci" }, { referrers: false }])(
    "are copied to a depth of eight (%j)",
    async (options) => {
      expect(nestingLimit).toBe(8);
      const to = memoryStore();
      expect(await copyOne(await nested(8), to, options)).toMatchObject({ result: { manifests: 9 } });
      expect(await check(to, "v1", { deep: true })).toMatchObject({ manifests: 9, findings: [] });
      const deeper = memoryStore();
      expect(await copyOne(await nested(9), deeper, options)).toMatchObject(tooDeep);
      expect(await deeper.head("v1")).toBeUndefined();
    },
  );

  test("are no deeper where they are there already", async () => {
    const from = await nested(9);
    const [outcome] = await copier(from, [{ store: await nested(9) }]).update("v1");
    expect(outcome).toMatchObject(tooDeep);
  });

  test("are found deep though each calls the next an image", async () => {
    const store = memoryStore("host.example/app");
    let last = images.image("hidden").manifest;
    await images.putImage(store, images.image("hidden"));
    for (let depth = 0; depth < 9; depth++) {
      const { digest, size } = last.descriptor;
      last = buildManifest({
        mediaType: mediaTypes.ociIndex,
        manifests: [{ mediaType: mediaTypes.ociManifest, digest, size }],
      });
      await store.putManifest(last, { tag: "v1" });
    }
    expect(await copyOne(store, memoryStore())).toMatchObject(tooDeep);
  });

  test("that list the same index many times are read and put once", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    let image = images.image("leaf", { docker: true });
    await images.putImage(from, image);
    for (let level = 0; level < 5; level++) {
      image = images.indexOf(
        Array.from({ length: 10 }, () => image),
        { docker: true },
      );
      await from.putManifest(image.manifest, { tag: "v1" });
    }
    let reads = 0;
    const counting: Source = {
      ...from,
      manifest: (ref, call) => ((reads += ref.startsWith("sha256:") ? 1 : 0), from.manifest(ref, call)),
    };
    for (const options of [{}, { convert: "oci" }] as const) {
      reads = 0;
      expect(await copyOne(counting, to, options)).toMatchObject({ result: { manifests: 6 } });
      expect(reads).toBe(5);
    }
    expect((await check(to, "v1", { deep: true })).findings).toEqual([]);
  });
});

describe("update", () => {
  const faults = ["corrupt", "unreadable", "missing"] as const;
  const kinds = [
    { kind: "an index", image: images.twoPlatforms("index"), options: {} },
    // An image has nothing below it to look for: its bytes are read only when asked to.
    { kind: "an image, with recheck,", image: images.image("image"), options: { recheck: true } },
  ];
  const cases = kinds.flatMap((one) => faults.map((fault) => ({ ...one, fault })));
  test.each(cases)(
    "puts $kind anew that is $fault under the tag at the destination",
    async ({ image, options, fault }) => {
      const [from, to] = [memoryStore("a"), memoryStore("b")];
      for (const store of [from, to]) await images.putImage(store, image, "v1");
      const broken = damaged(to, [[image.manifest.descriptor.digest, fault]]);
      expect(await copyTags(from, [{ store: broken }], options)).toMatchObject([{ result: { outcome: "copied" } }]);
      expect(broken.damage.size).toBe(0);
      expect(await copyTags(from, [{ store: broken }])).toMatchObject([{ result: { outcome: "unchanged" } }]);
    },
  );

  test("reads no bytes of an image that is there", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    for (const store of [from, to]) await images.putImage(store, images.image("image"), "v1");
    const unread = (store: Store): Store => ({ ...store, manifest: () => Promise.reject(new Error("was read")) });
    expect(await copyTags(unread(from), [{ store: unread(to) }])).toMatchObject([{ result: { outcome: "unchanged" } }]);
  });

  test("fails where the destination does not answer", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    for (const store of [from, to]) await images.putImage(store, images.image("image"), "v1");
    const down: Store = {
      ...to,
      head: () => Promise.reject(new RegistryError("UNAVAILABLE", "not now")),
    };
    expect(await copyTags(from, [{ store: down }])).toMatchObject([
      { error: { code: "UNAVAILABLE", side: "destination" } },
    ]);
  });
});

describe("blobs that several destinations have already", () => {
  test("are not opened at the source", async () => {
    const [from, first, second] = [memoryStore("a"), memoryStore("b"), memoryStore("c")];
    for (const store of [from, first, second])
      await images.putImage(store, images.image("there"), store === from ? "v1" : undefined);
    let opened = 0;
    const counting: Source = { ...from, blob: (digest, call) => ((opened += 1), from.blob(digest, call)) };
    const outcomes = await copier(counting, [{ store: first }, { store: second }]).copy("v1", "v1");
    expect(outcomes).toMatchObject([{ result: { blobs: { exists: 3 } } }, { result: { blobs: { exists: 3 } } }]);
    expect(opened).toBe(0);
  });
});

describe("a source's stream", () => {
  test.each<CopyOptions>([{}, { onEvent: () => {} }, { limitRate: 1e9 }])(
    "is given up where the destination does not want its first piece (%j)",
    async (options) => {
      const from = memoryStore("a");
      await images.putImage(from, images.image("unwanted", { layers: 1 }), "v1");
      const open = new Set<object>();
      const watched: Source = {
        ...from,
        blob: async () => {
          const mark = {};
          open.add(mark);
          const stream: ByteStream = {
            [Symbol.asyncIterator]: () => ({
              next: () => Promise.reject(new Error("read")),
              return: () => (open.delete(mark), Promise.resolve({ done: true, value: undefined })),
            }),
          };
          return stream;
        },
      };
      const fussy: Store = {
        ...memoryStore("b"),
        putBlob: async (_, content) => {
          await (await content())[Symbol.asyncIterator]().return?.();
          throw new RegistryError("DENIED", "no");
        },
      };
      expect(await copyOne(watched, fussy, options)).toMatchObject({ error: { code: "DENIED", side: "destination" } });
      expect(open.size).toBe(0);
    },
  );
});
