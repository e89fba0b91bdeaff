import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { contentOf, type ByteStream } from "../../src/oci/stream.ts";
import { copier, type CopyEvent, type CopyOptions, type Outcome } from "../../src/graph/copy.ts";
import { copyTags } from "../../src/graph/copy-tags.ts";
import { check } from "../../src/graph/check.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Source, Store } from "../../src/store/store.ts";
import * as images from "../support/images.ts";

const results = (outcomes: readonly Outcome[]) =>
  outcomes.map((one) => {
    if ("error" in one) throw one.error;
    return one.result;
  });
const copyOne = async (from: Source, to: Store, ref: string, options?: CopyOptions, tag = ref) =>
  results(await copier(from, [{ store: to }], options).copy(ref, tag))[0]!;

/** A store that tells in order what was written to it. */
function recorded(store: Store, log: string[]): Store {
  return {
    ...store,
    putBlob: async (blob, content, call) => {
      const how = await store.putBlob(blob, content, call);
      log.push(`blob ${blob.digest}`);
      return how;
    },
    putManifest: async (manifest, call) => {
      await store.putManifest(manifest, call);
      log.push(`manifest ${manifest.descriptor.digest}${call?.tag ? ` ${call.tag}` : ""}`);
    },
  };
}

describe("copy", () => {
  test("takes a whole index along, children before the root and the tag last", async () => {
    const [from, to, log] = [memoryStore("a"), memoryStore("b"), [] as string[]];
    const index = images.nestedIndex("order");
    await images.putImage(from, index, "v1");
    const result = await copyOne(from, recorded(to, log), "v1");
    expect(result).toMatchObject({
      outcome: "copied",
      digest: index.manifest.descriptor.digest,
      to: "b:v1",
      manifests: 5,
    });
    expect(log.at(-1)).toBe(`manifest ${index.manifest.descriptor.digest} v1`);
    for (const { manifest, blobs, children } of images.allOf(index)) {
      const at = log.findIndex((line) => line.startsWith(`manifest ${manifest.descriptor.digest}`));
      const before = log.slice(0, Math.max(at, 0));
      for (const blob of blobs) expect(before).toContain(`blob ${blob.descriptor.digest}`);
      for (const child of children) expect(before).toContain(`manifest ${child.manifest.descriptor.digest}`);
    }
    expect((await check(to, "v1", { deep: true })).findings).toEqual([]);
  });

  test("carries referrers of the index and its children, what hangs on those, and digest tags", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    const index = images.twoPlatforms("attached");
    const sbom = images.artifact("sbom", index.children[0]!.manifest.descriptor);
    const signature = images.artifact("signature of the sbom", sbom.manifest.descriptor);
    const old = images.image("cosign");
    const { digest } = index.manifest.descriptor;
    await images.putImage(from, index, "v1");
    await images.putImage(from, sbom);
    await images.putImage(from, signature);
    await images.putImage(from, old, `sha256-${digest.slice(7)}.sig`);
    expect(await copyOne(from, to, "v1")).toMatchObject({ referrers: 2, digestTags: 1 });
    expect((await to.head(`sha256-${digest.slice(7)}.sig`))?.digest).toBe(old.manifest.descriptor.digest);
    expect(await to.head(signature.manifest.descriptor.digest)).toBeDefined();

    const bare = memoryStore("bare");
    expect(await copyOne(from, bare, "v1", { referrers: false })).toMatchObject({ referrers: 0, digestTags: 0 });
    expect(await bare.head(sbom.manifest.descriptor.digest)).toBeUndefined();
  });

  test("of one platform is the image itself; of several, an index of those", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    const index = images.indexOf(
      ["linux/amd64", "linux/arm64", "linux/arm/v7"].map((platform) => images.image(platform, { platform })),
    );
    await images.putImage(from, index, "v1");
    const one = await copyOne(from, to, "v1", { platforms: [parsePlatform("arm64")] });
    expect(one.digest).toBe(index.children[1]!.manifest.descriptor.digest);
    const two = await copyOne(from, to, "v1", { platforms: [parsePlatform("arm64"), parsePlatform("linux/arm/v7")] });
    const manifest = (await to.manifest(two.digest))!;
    expect(manifest.manifests.map((child) => child.digest)).toEqual(
      index.children.slice(1).map((child) => child.manifest.descriptor.digest),
    );
    await expect(copyOne(from, to, "v1", { platforms: [parsePlatform("linux/s390x")] })).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
      side: "source",
      hint: expect.stringContaining("linux/arm/v7"),
    });
  });

  test("turns Docker's types into OCI's only on request", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    await images.putImage(from, images.twoPlatforms("docker", { docker: true }), "v1");
    expect((await copyOne(from, to, "v1")).mediaType).toBe(mediaTypes.dockerIndex);
    const converted = await copyOne(from, to, "v1", { convert: "oci" }, "v2");
    const index = (await to.manifest("v2"))!;
    expect(converted.mediaType).toBe(mediaTypes.ociIndex);
    const child = (await to.manifest(index.manifests[0]!.digest))!;
    expect([child.descriptor.mediaType, ...child.blobs.map((blob) => blob.mediaType)]).toEqual([
      mediaTypes.ociManifest,
      mediaTypes.ociConfig,
      mediaTypes.ociLayerGzip,
      mediaTypes.ociLayerGzip,
    ]);
    expect(await check(to, "v2", { deep: true })).toMatchObject({ findings: [] });
    expect((await copyOne(to, memoryStore("c"), "v2", { convert: "oci" })).digest).toBe(converted.digest);
  });

  test("leaves a tag alone that is there, when told so", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    await images.putImage(from, images.image("new"), "v1");
    const held = images.image("old");
    await images.putImage(to, held, "v1");
    expect(await copyOne(from, to, "v1", { noClobber: true })).toMatchObject({
      outcome: "kept",
      digest: held.manifest.descriptor.digest,
    });
    expect((await to.head("v1"))?.digest).toBe(held.manifest.descriptor.digest);
  });

  test("dry, writes nothing and says what it would write", async () => {
    const [from, to, log] = [memoryStore("a"), memoryStore("b"), [] as string[]];
    const image = images.image("dry", { layers: 3, layerSize: 5000 });
    await images.putImage(from, image, "v1");
    await to.putBlob(image.blobs[1]!.descriptor, contentOf(image.blobs[1]!.bytes));
    const result = await copyOne(from, recorded(to, log), "v1", { dryRun: true });
    expect(log).toEqual([]);
    expect(result.blobs).toEqual({ exists: 1, mounted: 0, written: 3 });
    expect(result.bytes).toBe(image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0) - 5000);
  });

  test("tells each blob, byte and manifest as it goes", async () => {
    const [from, to, events] = [memoryStore("a"), memoryStore("b"), [] as CopyEvent[]];
    await images.putImage(from, images.image("events", { layers: 1, layerSize: 4000 }), "v1");
    const result = await copyOne(from, to, "v1", { onEvent: (event) => events.push(event) });
    expect(events.filter((event) => event.type === "found")).toHaveLength(2);
    expect(events.reduce((sum, event) => sum + (event.type === "bytes" ? event.count : 0), 0)).toBe(result.bytes);
    expect(events.at(-1)).toMatchObject({ type: "manifest", tag: "v1" });
  });

  test("stays below the rate it was given", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    await images.putImage(from, images.image("slow", { layers: 2, layerSize: 20_000 }), "v1");
    const start = performance.now();
    await copyOne(from, to, "v1", { limitRate: 200_000 });
    expect(performance.now() - start).toBeGreaterThan(100);
  });
});

describe("several destinations", () => {
  test("read each blob of the source once", async () => {
    const [from, first, second] = [memoryStore("a"), memoryStore("b"), memoryStore("c")];
    const image = images.image("fan", { layers: 4, layerSize: 200_000 });
    await images.putImage(from, image, "v1");
    let opened = 0;
    const counting: Source = { ...from, blob: (digest, call) => ((opened += 1), from.blob(digest, call)) };
    await first.putBlob(image.blobs[2]!.descriptor, contentOf(image.blobs[2]!.bytes));
    results(await copier(counting, [{ store: first }, { store: second }]).copy("v1", "v1"));
    expect(opened).toBe(image.blobs.length);
    for (const store of [first, second]) expect((await check(store, "v1", { deep: true })).findings).toEqual([]);
  });

  test("fail each on its own", async () => {
    const [from, good] = [memoryStore("a"), memoryStore("good")];
    await images.putImage(from, images.image("half", { layers: 3, layerSize: 100_000 }), "v1");
    const bad: Store = {
      ...memoryStore("bad"),
      putBlob: async (_, content) => {
        for await (const _ of await content()) break;
        throw new RegistryError("DENIED", "no");
      },
    };
    const [failed, done] = await copier(from, [{ store: bad }, { store: good }]).copy("v1", "v1");
    expect(failed).toMatchObject({ to: "bad:v1", error: { code: "DENIED", side: "destination" } });
    expect(done).toMatchObject({ result: { outcome: "copied" } });
    expect((await check(good, "v1", { deep: true })).findings).toEqual([]);
  });
});

describe("a failing end", () => {
  const refused = Object.assign(new Error("EACCES: permission denied, open '/images/one'"), {
    code: "EACCES",
    syscall: "open",
    path: "/images/one",
  });
  test.each(["source", "destination"] as const)("that may not use a file says which: the %s", async (side) => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    await images.putImage(from, images.image("closed"), "v1");
    const closed = { blob: () => Promise.reject(refused), putBlob: () => Promise.reject(refused) };
    const ends: [Store, Store] = side === "source" ? [{ ...from, ...closed }, to] : [from, { ...to, ...closed }];
    const [failed] = await copier(ends[0], [{ store: ends[1] }]).copy("v1", "v1");
    expect(failed).toMatchObject({
      error: { code: "DENIED", side, message: "/images/one: permission denied", hint: expect.any(String) },
    });
  });

  test("is named, and the tag stays away", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    const image = images.image("broken");
    await images.putImage(from, image, "v1");
    const bad = image.blobs[1]!.descriptor.digest;
    const torn: Source = {
      ...from,
      blob: async (digest, call) =>
        digest === bad ? breaking(await from.blob(digest, call)) : from.blob(digest, call),
    };
    await expect(copyOne(torn, to, "v1")).rejects.toMatchObject({ code: "NETWORK", side: "source" });
    expect(await to.head("v1")).toBeUndefined();
    await expect(copyOne(from, to, "nothing")).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN", side: "source" });
    expect(await copyOne(from, to, "v1")).toMatchObject({ outcome: "copied" });
  });

  test("stops at the caller's word", async () => {
    const [from, to, stop] = [memoryStore("a"), memoryStore("b"), new AbortController()];
    await images.putImage(from, images.image("stopped", { layers: 2 }), "v1");
    const hanging: Source = { ...from, blob: async (_, call) => hang(call?.signal) };
    const copying = copyOne(hanging, to, "v1", { signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(copying).rejects.toThrow(/abort/i);
    expect(await to.head("v1")).toBeUndefined();
  });

  test("anywhere, on any graph, leaves nothing half-visible and is mended by running again", async () => {
    const graphs = [
      images.image("g0"),
      images.twoPlatforms("g1"),
      images.nestedIndex("g2"),
      images.twoPlatforms("g3", { docker: true, layers: 4 }),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...graphs),
        fc.infiniteStream(fc.nat(6)),
        fc.integer({ min: 1, max: 20 }),
        async (graph, dice, jobs) => {
          const [from, to] = [memoryStore("a"), memoryStore("b")];
          await images.putImage(from, graph, "v1");
          const faulty: Source = {
            ...from,
            blob: async (digest, call) =>
              dice.next().value === 0 ? breaking(await from.blob(digest, call)) : from.blob(digest, call),
          };
          const shaky: Store = {
            ...to,
            putManifest: async (manifest, call) => {
              if (dice.next().value === 0) throw new RegistryError("UNAVAILABLE", "shaky");
              return to.putManifest(manifest, call);
            },
          };
          for (let attempt = 0; attempt < 200; attempt++) {
            const [outcome] = await copier(faulty, [{ store: shaky }], { jobs }).copy("v1", "v1");
            if (await to.head("v1"))
              expect((await check(to, "v1", { deep: true, referrers: false })).findings).toEqual([]);
            if ("result" in outcome!) return;
          }
          throw new Error("never got through");
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("all tags", () => {
  test("share what they share, and cost a request at each end where nothing changed", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    const base = images.image("base");
    await images.putImage(from, base, "v1");
    await images.putImage(from, base, "latest");
    await images.putImage(from, images.artifact("sig", base.manifest.descriptor));
    await images.putImage(from, images.image("orphan"), `sha256-${"a".repeat(64)}.sig`);
    const first = results(await copyTags(from, [{ store: to }]));
    expect(first.map((one) => [one.to.slice(0, 9), one.outcome])).toEqual([
      ["b:latest", "copied"],
      ["b:v1", "copied"],
      ["b:sha256-", "copied"],
    ]);
    expect(first.reduce((sum, one) => sum + one.blobs.written, 0)).toBe(base.blobs.length + 2 + 3);
    let asked = 0;
    const counting: Source = {
      ...from,
      head: (ref, call) => ((asked += 1), from.head(ref, call)),
      manifest: (ref, call) => ((asked += ref.startsWith("sha256:") ? 0 : 1), from.manifest(ref, call)),
    };
    const again = results(await copyTags(counting, [{ store: to }]));
    expect(again.map((one) => one.outcome)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(asked).toBe(3);
  });

  test("bring a signature that came later to an image that is there already", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    const image = images.twoPlatforms("signed later");
    await images.putImage(from, image, "v1");
    results(await copyTags(from, [{ store: to }]));
    const signature = images.artifact("late", image.children[1]!.manifest.descriptor);
    await images.putImage(from, signature);
    expect(results(await copyTags(from, [{ store: to }]))[0]).toMatchObject({ outcome: "unchanged", referrers: 1 });
    expect(await to.head(signature.manifest.descriptor.digest)).toBeDefined();
  });

  test("cost one request at the source where the destination does not list them, or cannot list any", async () => {
    const from = memoryStore("a");
    await images.putImage(from, images.image("one"), "one");
    await images.putImage(from, images.image("two"), "two");
    const asked: string[] = [];
    const counting: Source = {
      ...from,
      head: (ref, call) => (asked.push(`HEAD ${ref}`), from.head(ref, call)),
      manifest: (ref, call) => (asked.push(`GET ${ref}`), from.manifest(ref, call)),
    };
    const to = memoryStore("b");
    results(await copyTags(counting, [{ store: to }]));
    expect(asked.sort()).toEqual(["GET one", "GET two"]);

    const silent: Store = {
      ...memoryStore("c"),
      // oxlint-disable-next-line require-yield
      async *tags() {
        throw new RegistryError("UNSUPPORTED", "no lists here");
      },
    };
    const outcomes = results(await copyTags(counting, [{ store: to }, { store: silent }]));
    expect(outcomes.map((one) => one.outcome).sort()).toEqual(["copied", "copied", "unchanged", "unchanged"]);
  });

  test("go on past one that fails", async () => {
    const [from, to] = [memoryStore("a"), memoryStore("b")];
    await images.putImage(from, images.image("good"), "good");
    await images.putImage(from, images.image("bad"), "bad");
    const half: Source = {
      ...from,
      manifest: async (ref, call) =>
        ref === "bad" ? Promise.reject(new RegistryError("UNAVAILABLE", "x")) : from.manifest(ref, call),
    };
    const outcomes = await copyTags(half, [{ store: to }]);
    expect(outcomes).toMatchObject([
      { to: "b:bad", error: { code: "UNAVAILABLE", side: "source" } },
      { result: { outcome: "copied" } },
    ]);
  });
});

async function* breaking(stream: ByteStream): ByteStream {
  for await (const piece of stream) {
    yield piece.subarray(0, piece.byteLength >> 1);
    throw new RegistryError("NETWORK", "the connection broke");
  }
}

async function* hang(signal?: AbortSignal): ByteStream {
  await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
  yield new Uint8Array();
}
