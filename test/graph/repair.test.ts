import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { buildManifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { check } from "../../src/graph/check.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Source, Store } from "../../src/store/store.ts";
import * as images from "../support/images.ts";
import { damaged, type Damage } from "./damaged.ts";

const digestOf = ({ manifest }: images.TestImage): Digest => manifest.descriptor.digest;
const index = images.twoPlatforms("repaired");
const [amd64, arm64] = index.children as readonly [images.TestImage, images.TestImage];
const sbom = images.artifact("sbom", arm64.manifest.descriptor);

/** A store with the image under `v1`. */
async function filled(name = "host.example/app"): Promise<Store> {
  const store = memoryStore(name);
  await images.putImage(store, index, "v1");
  await images.putImage(store, sbom);
  return store;
}

describe("check with a spare copy puts back", () => {
  const blob = (image: images.TestImage, at: number): Digest => image.blobs[at]!.descriptor.digest;
  test.for<readonly [what: string, faults: readonly (readonly [Digest, Damage])[]]>([
    ["a layer that is missing", [[blob(amd64, 1), "missing"]]],
    ["a layer of the wrong size", [[blob(amd64, 1), "size"]]],
    ["a layer of wrong bytes", [[blob(amd64, 2), "corrupt"]]],
    ["a layer that cannot be read", [[blob(amd64, 2), "unreadable"]]],
    ["a config", [[blob(arm64, 0), "missing"]]],
    ["a child that is missing", [[digestOf(amd64), "missing"]]],
    ["a child of wrong bytes", [[digestOf(amd64), "corrupt"]]],
    [
      "a child with all that is in it",
      [[digestOf(arm64), "missing"], ...[0, 1, 2].map((at) => [blob(arm64, at), "missing"] as const)],
    ],
    ["a broken root", [[digestOf(index), "corrupt"]]],
    [
      "a root that is gone, and a child",
      [
        [digestOf(index), "missing"],
        [digestOf(amd64), "missing"],
      ],
    ],
    ["what a referrer holds", [[blob(sbom, 1), "missing"]]],
  ])("%s", async ([, faults]) => {
    const store = damaged(await filled(), faults);
    const result = await check(store, "v1", { deep: true, repairFrom: await filled("spare") });
    expect(result.findings).toEqual([]);
    expect(result.repaired.toSorted()).toEqual(faults.map(([digest]) => digest).toSorted());
    expect(store.damage.size).toBe(0);
    expect(await check(store, "v1", { deep: true })).toMatchObject({
      digest: digestOf(index),
      findings: [],
      repaired: [],
    });
  });

  test("a root with its tag, after all that it needs", async () => {
    const store = damaged(memoryStore(), []);
    const result = await check(store, "v1", { repairFrom: await filled("spare") });
    expect(result).toMatchObject({ digest: digestOf(index), findings: [] });
    expect((await store.head("v1"))?.digest).toBe(digestOf(index));
    expect(store.puts.at(-1)).toBe(`manifest ${digestOf(index)} v1`);
    const at = (image: images.TestImage): number => store.puts.indexOf(`manifest ${digestOf(image)}`);
    for (const child of [amd64, arm64]) {
      expect(at(child)).toBeGreaterThanOrEqual(0);
      for (const { descriptor } of child.blobs) expect(await store.size(descriptor.digest)).toBe(descriptor.size);
    }
    expect(result.repaired).toHaveLength(3 + amd64.blobs.length + arm64.blobs.length);
  });

  test("a tag that is gone, though its manifest is there", async () => {
    const store = memoryStore();
    await images.putImage(store, index);
    expect(await check(store, "v1", { repairFrom: await filled("spare") })).toMatchObject({
      findings: [],
      repaired: [digestOf(index)],
    });
    expect((await store.head("v1"))?.digest).toBe(digestOf(index));
  });

  test("a root by its digest, without a tag", async () => {
    const store = memoryStore();
    expect(await check(store, digestOf(index), { repairFrom: await filled("spare") })).toMatchObject({ findings: [] });
    expect(await store.head("v1")).toBeUndefined();
    expect(await store.head(digestOf(index))).toBeDefined();
  });

  test("the image that the tag names here, not the other that it names there", async () => {
    const spare = await filled("spare");
    const other = images.image("other");
    await images.putImage(spare, other, "v1");
    const store = damaged(await filled(), [[digestOf(index), "corrupt"]]);
    expect(await check(store, "v1", { repairFrom: spare })).toMatchObject({
      digest: digestOf(index),
      findings: [],
      repaired: [digestOf(index)],
    });
    expect((await store.head("v1"))?.digest).toBe(digestOf(index));
    const gone = damaged(await filled(), [[digestOf(index), "missing"]]);
    const empty = memoryStore("spare");
    await images.putImage(empty, other, "v1");
    expect(await check(gone, "v1", { repairFrom: empty })).toMatchObject({
      digest: digestOf(index),
      findings: [{ path: "", fault: "missing" }],
      repaired: [],
    });
    expect((await gone.head("v1"))?.digest).toBe(digestOf(index));
  });

  test("a signature under its tag", async () => {
    const [store, spare] = [await filled(), await filled("spare")];
    const cosign = images.image("cosign");
    const tag = `${digestOf(index).replace(":", "-")}.sig`;
    for (const one of [store, spare]) await images.putImage(one, cosign, tag);
    const broken = damaged(store, [[digestOf(cosign), "corrupt"]]);
    expect(await check(broken, "v1", { repairFrom: spare })).toMatchObject({
      findings: [],
      repaired: [digestOf(cosign)],
    });
    expect(broken.puts).toEqual([`manifest ${digestOf(cosign)} ${tag}`]);
  });

  test("nothing where nothing is wrong, and reads nothing from the spare copy", async () => {
    const unused = new Proxy({} as Source, {
      get: () => () => {
        throw new Error("asked the spare copy");
      },
    });
    const store = damaged(await filled(), []);
    expect(await check(store, "v1", { deep: true, repairFrom: unused })).toMatchObject({ findings: [], repaired: [] });
    expect(store.puts).toEqual([]);
  });

  test("and makes it durable", async () => {
    let flushed = 0;
    const store: Store = {
      ...damaged(await filled(), [[blob(amd64, 1), "missing"]]),
      flush: async () => void (flushed += 1),
    };
    await check(store, "v1");
    expect(flushed).toBe(0);
    await check(store, "v1", { repairFrom: await filled("spare") });
    expect(flushed).toBe(1);
  });
});

describe("what cannot be repaired stays a finding", () => {
  const layer = amd64.blobs[1]!.descriptor.digest;
  const finding = { path: "linux/amd64 > layer 1", kind: "blob", digest: layer };

  test.each<Damage>(["missing", "corrupt", "size", "unreadable"])("where the spare copy's own is %s", async (fault) => {
    const store = damaged(await filled(), [[layer, "missing"]]);
    const spare = damaged(await filled("spare"), [[layer, fault]]);
    const result = await check(store, "v1", { repairFrom: spare });
    expect(result).toMatchObject({ findings: [{ ...finding, fault: "missing" }], repaired: [] });
    expect(store.puts).toEqual([]);
  });

  test.each<Damage>(["missing", "corrupt", "unreadable"])("where the spare copy's manifest is %s", async (fault) => {
    const store = damaged(await filled(), [[digestOf(amd64), "corrupt"]]);
    const spare = damaged(await filled("spare"), [[digestOf(amd64), fault]]);
    const result = await check(store, "v1", { repairFrom: spare });
    expect(result).toMatchObject({
      findings: [{ path: "linux/amd64", kind: "manifest", fault: "corrupt" }],
      repaired: [],
    });
  });

  test.each<Damage>(["size", "corrupt"])("where a store keeps what is broken (%s)", async (fault) => {
    const store = damaged(await filled(), [[layer, fault]], { stubborn: [layer] });
    const result = await check(store, "v1", { deep: true, repairFrom: await filled("spare") });
    expect(result).toMatchObject({ findings: [{ ...finding, fault }], repaired: [] });
    const manifest = damaged(await filled(), [[digestOf(amd64), "corrupt"]], { stubborn: [digestOf(amd64)] });
    expect(await check(manifest, "v1", { repairFrom: await filled("spare") })).toMatchObject({
      findings: [{ kind: "manifest", fault: "corrupt" }],
      repaired: [],
    });
  });

  test("where a registry does not take a manifest without all that it needs", async () => {
    const store: Store = {
      ...damaged(await filled(), [
        [digestOf(amd64), "missing"],
        [layer, "missing"],
      ]),
      putManifest: () => Promise.reject(new RegistryError("MANIFEST_BLOB_UNKNOWN", "a blob is missing")),
    };
    const spare = damaged(await filled("spare"), [[layer, "missing"]]);
    const { findings, repaired } = await check(store, "v1", { repairFrom: spare });
    expect(findings.map(({ path }) => path).toSorted()).toEqual(["linux/amd64", "linux/amd64 > layer 1"]);
    expect(repaired).toEqual([]);
  });

  test("where the manifest itself is wrong about a blob's size", async () => {
    const store = await filled();
    const { config, blobs } = amd64.manifest;
    const lying = buildManifest({
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [{ ...blobs[1]!, size: blobs[1]!.size + 1 }],
    });
    await store.putManifest(lying, { tag: "lying" });
    const result = await check(store, "lying", { deep: true, repairFrom: await filled("spare") });
    expect(result).toMatchObject({ findings: [{ path: "layer 1", fault: "size" }], repaired: [] });
    expect((await check(store, "v1", { deep: true })).findings).toEqual([]);
  });

  test("though all else is repaired", async () => {
    const store = damaged(await filled(), [
      [layer, "missing"],
      [amd64.blobs[2]!.descriptor.digest, "missing"],
      [digestOf(arm64), "corrupt"],
    ]);
    const spare = damaged(await filled("spare"), [[layer, "missing"]]);
    const { findings, repaired } = await check(store, "v1", { repairFrom: spare });
    expect(findings).toMatchObject([finding]);
    expect(repaired.toSorted()).toEqual([amd64.blobs[2]!.descriptor.digest, digestOf(arm64)].toSorted());
  });
});

describe("a repair that cannot be done at all is an error", () => {
  test("of a store that can only be read", async () => {
    const source: Source = Object.fromEntries(
      Object.entries(await filled()).filter(([name]) => name !== "putBlob"),
    ) as never;
    await expect(check(source, "v1", { repairFrom: memoryStore() })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: "host.example/app can only be read",
    });
    expect(await check(source, "v1")).toMatchObject({ findings: [] });
  });

  test("where either end does not answer", async () => {
    const layer = amd64.blobs[1]!.descriptor.digest;
    const down = (): Promise<never> => Promise.reject(new RegistryError("UNAVAILABLE", "not now"));
    const spare: Store = { ...(await filled("spare")), size: down };
    await expect(
      check(damaged(await filled(), [[layer, "missing"]]), "v1", { repairFrom: spare }),
    ).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const store: Store = {
      ...damaged(await filled(), [[layer, "missing"]]),
      putBlob: () => Promise.reject(new RegistryError("DENIED", "no")),
    };
    await expect(check(store, "v1", { repairFrom: await filled("spare") })).rejects.toMatchObject({ code: "DENIED" });
  });
});
