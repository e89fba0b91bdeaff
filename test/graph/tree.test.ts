import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { tagsOf } from "../../src/graph/tags.ts";
import { tree, walkTree, type TreeNode } from "../../src/graph/tree.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Source } from "../../src/store/store.ts";
import * as images from "../support/images.ts";

/** A tree as lines: depth, role and what it is. */
const lines = (root: TreeNode, names: ReadonlyMap<Digest, string>): readonly string[] =>
  [...walkTree(root)].map(({ node, depth }) => {
    const name = names.get(node.descriptor.digest) ?? node.descriptor.digest;
    return `${"  ".repeat(depth)}${node.role} ${name}${node.tag === undefined ? "" : ` (${node.tag.slice(71)})`}${node.manifest ? "" : " missing"}`;
  });
const digestTag = ({ manifest }: images.TestImage, suffix: string): string =>
  `${manifest.descriptor.digest.replace(":", "-")}.${suffix}`;
const named = (all: Readonly<Record<string, images.TestImage>>): ReadonlyMap<Digest, string> =>
  new Map(Object.entries(all).map(([name, { manifest }]) => [manifest.descriptor.digest, name]));

/** A list that cannot be had. */
async function* failing(error: Error): AsyncGenerator<never, void> {
  yield* [];
  throw error;
}

describe("tree", () => {
  test("shows children, referrers, digest tags, and what hangs on those", async () => {
    const store = memoryStore();
    const [amd64, arm64] = [images.image("amd64"), images.image("arm64", { platform: "linux/arm64" })];
    const index = images.indexOf([amd64, arm64]);
    const sbom = images.artifact("sbom", arm64.manifest.descriptor);
    const signed = images.artifact("signed", sbom.manifest.descriptor);
    const cosign = images.image("cosign");
    await images.putImage(store, index, "v1");
    for (const one of [sbom, signed]) await images.putImage(store, one);
    await images.putImage(store, cosign, digestTag(index, "sig"));
    const names = named({ index, amd64, arm64, sbom, signed, cosign });
    const whole = [
      "root index",
      "  child amd64",
      "  child arm64",
      "    referrer sbom",
      "      referrer signed",
      "  tag cosign (.sig)",
    ];
    expect(lines(await tree(store, "v1"), names)).toEqual(whole);
    expect(lines(await tree(store, index.manifest.descriptor.digest), names)).toEqual(whole);
    expect(lines(await tree(store, "v1", { referrers: false }), names)).toEqual(whole.slice(0, 3));
  });

  test("asks for Cosign's tags where a registry lists none", async () => {
    const store = memoryStore();
    const [image, cosign] = [images.image("image"), images.image("cosign")];
    await images.putImage(store, image, "v1");
    await images.putImage(store, cosign, digestTag(image, "att"));
    const mute: Source = {
      ...store,
      tags: () => failing(new RegistryError("UNSUPPORTED", "no list")),
    };
    expect(lines(await tree(mute, "v1"), named({ image, cosign }))).toEqual(["root image", "  tag cosign (.att)"]);
  });

  test("asks for no tag that a sha512 digest would make too long", async () => {
    const store = memoryStore();
    const asked: string[] = [];
    const { manifest } = images.image("sha512");
    const mute: Source = {
      ...store,
      manifest: (ref, call) => (asked.push(ref), store.manifest(ref, call)),
      tags: () => failing(new RegistryError("UNSUPPORTED", "no list")),
    };
    const long = parseManifest(manifest.bytes, { algorithm: "sha512" });
    await store.putManifest(long, { tag: "v1" });
    await tree(mute, "v1");
    expect(asked).toEqual(["v1"]);
  });

  test("shows missing children and referrers as such", async () => {
    const store = memoryStore();
    const [there, gone] = [images.image("there"), images.image("gone")];
    const index = images.indexOf([there, gone]);
    await images.putImage(store, there);
    await store.putManifest(index.manifest, { tag: "v1" });
    const lost = images.artifact("lost", index.manifest.descriptor);
    const listing: Source = {
      ...store,
      async *referrers(subject) {
        if (subject === index.manifest.descriptor.digest) yield lost.manifest.descriptor;
      },
    };
    const names = named({ index, there, gone, lost });
    expect(lines(await tree(listing, "v1"), names)).toEqual([
      "root index",
      "  child there",
      "  child gone missing",
      "  referrer lost missing",
    ]);
  });

  test("stops where something hangs on itself, however far round", async () => {
    const store = memoryStore();
    const [a, b] = [images.image("a"), images.image("b")];
    await images.putImage(store, a, "v1");
    await images.putImage(store, a, digestTag(a, "sig"));
    await images.putImage(store, b, digestTag(a, "att"));
    await images.putImage(store, a, digestTag(b, "att"));
    expect(lines(await tree(store, "v1"), named({ a, b }))).toEqual([
      "root a",
      "  tag b (.att)",
      "    tag a (.att)",
      "  tag a (.sig)",
    ]);
  });

  test("stops a registry that lists the same referrer for everything, or ever new ones", async () => {
    const store = memoryStore("host.example/app");
    const image = images.image("image");
    await images.putImage(store, image, "v1");
    const loop = images.artifact("loop", image.manifest.descriptor);
    await images.putImage(store, loop);
    const same: Source = {
      ...store,
      async *referrers() {
        yield loop.manifest.descriptor;
      },
    };
    expect(lines(await tree(same, "v1"), named({ image, loop }))).toEqual([
      "root image",
      "  referrer loop",
      "    referrer loop",
    ]);
    let count = 0;
    const endless: Source = {
      ...store,
      async *referrers(subject) {
        const next = images.artifact(`${(count += 1)}`, { ...image.manifest.descriptor, digest: subject });
        await images.putImage(store, next);
        yield next.manifest.descriptor;
      },
    };
    await expect(tree(endless, "v1")).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringContaining("never ends"),
    });
    expect(count).toBeLessThan(12);
  });

  test("allows eight indexes in one another, and no more", async () => {
    const store = memoryStore("host.example/app");
    const [eight, nine] = [images.nested("eight", 8), images.nested("nine", 9)];
    await images.putImage(store, eight, "eight");
    await images.putImage(store, nine, "nine");
    expect([...walkTree(await tree(store, "eight"))]).toHaveLength(9);
    await expect(tree(store, "nine")).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringContaining("host.example/app:nine"),
    });
  });

  test("reads what is listed many times once, and stops at 20000 nodes", async () => {
    const store = memoryStore();
    let image = images.image("leaf");
    await images.putImage(store, image);
    for (let level = 0; level < 6; level++) {
      image = images.indexOf(Array.from({ length: 10 }, () => image));
      await store.putManifest(image.manifest, { tag: `level ${level}` });
    }
    let reads = 0;
    const counting: Source = { ...store, manifest: (ref, call) => ((reads += 1), store.manifest(ref, call)) };
    expect([...walkTree(await tree(counting, "level 2"))]).toHaveLength(1111);
    expect(reads).toBe(4);
    await expect(tree(store, "level 5", { referrers: false })).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: "memory:level 5 has more than 20000 manifests",
    });
  });

  test("fails, once and for all, where a child cannot be read while something else is still asked for", async () => {
    const store = memoryStore();
    const index = images.twoPlatforms("broken");
    await images.putImage(store, index, "v1");
    const broken: Source = {
      ...store,
      manifest: async (ref, call) => {
        if (ref !== "v1") throw new RegistryError("UNVERIFIED", "corrupt");
        return store.manifest(ref, call);
      },
      async *referrers() {
        await sleep(5);
        yield* [];
      },
    };
    await expect(tree(broken, "v1")).rejects.toMatchObject({ code: "UNVERIFIED" });
    const late: Source = {
      ...broken,
      manifest: (ref, call) => store.manifest(ref, call),
      async *referrers(subject) {
        yield images.artifact("x", { ...index.manifest.descriptor, digest: subject }).manifest.descriptor;
        await sleep(5);
        throw new RegistryError("NETWORK", "gone");
      },
    };
    await expect(tree(late, "v1")).rejects.toMatchObject({ code: "NETWORK" });
  });

  test("of nothing is an error", async () => {
    await expect(tree(memoryStore("host.example/app"), "v1")).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
      message: "host.example/app:v1 is not there",
    });
  });

  test("stops at the caller's word", async () => {
    const store = memoryStore();
    await images.putImage(store, images.image("image"), "v1");
    await expect(tree(store, "v1", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("tagsOf", () => {
  test("names the tags of a digest, in order", async () => {
    const store = memoryStore();
    const [one, other] = [images.image("one"), images.image("other")];
    for (const tag of ["v2", "latest", "v10"]) await images.putImage(store, one, tag);
    await images.putImage(store, other, "other");
    expect(await tagsOf(store, one.manifest.descriptor.digest)).toEqual(["latest", "v10", "v2"]);
    expect(await tagsOf(store, images.image("none").manifest.descriptor.digest)).toEqual([]);
  });

  test("has none where the repository is not there, and fails where it cannot be asked", async () => {
    const store = memoryStore();
    const refusing = (error: Error): Source => ({
      ...store,
      tags: () => failing(error),
    });
    expect(await tagsOf(refusing(new RegistryError("NAME_UNKNOWN", "no")), "sha256:")).toEqual([]);
    await expect(tagsOf(refusing(new RegistryError("DENIED", "no")), "sha256:")).rejects.toMatchObject({
      code: "DENIED",
    });
  });

  test("fails where a tag cannot be resolved, while the list goes on", async () => {
    const slow: Source = {
      ...memoryStore(),
      head: () => Promise.reject(new RegistryError("UNAVAILABLE", "not now")),
      async *tags() {
        yield "v1";
        await sleep(5);
        yield "v2";
      },
    };
    await expect(tagsOf(slow, "sha256:")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
