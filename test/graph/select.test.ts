import { describe, expect, test } from "vitest";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { buildManifest, type Manifest } from "../../src/oci/manifest.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { copier } from "../../src/graph/copy.ts";
import { selectPlatforms } from "../../src/graph/select.ts";
import { memoryStore } from "../../src/store/memory.ts";
import * as images from "../support/images.ts";

const select = async (root: Manifest, ...platforms: readonly string[]): Promise<Manifest> =>
  selectPlatforms(store, root, platforms.map(parsePlatform));
const store = memoryStore("host.example/app");

/** An index as BuildKit writes it: an image for each platform, and an attestation about each. */
async function attested(seed: string, platforms: readonly string[], extra: Readonly<Record<string, unknown>> = {}) {
  const built = platforms.map((platform) => images.image(`${seed}/${platform}`, { platform }));
  const attestations = built.map((_, i) => images.image(`${seed}/attestation ${i}`));
  for (const one of [...built, ...attestations]) await images.putImage(store, one);
  const entry = ({ manifest }: images.TestImage, platform: string, annotations?: object) => {
    const { mediaType, digest, size } = manifest.descriptor;
    return { mediaType, digest, size, platform: { ...parsePlatform(platform) }, ...(annotations && { annotations }) };
  };
  const manifests = [
    ...built.map((one, i) => entry(one, platforms[i]!)),
    ...attestations.map((one, i) =>
      entry(one, "unknown/unknown", {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": built[i]!.manifest.descriptor.digest,
      }),
    ),
  ];
  const root = buildManifest({ mediaType: mediaTypes.ociIndex, manifests, ...extra });
  return { root, manifests, digests: manifests.map((one) => one.digest) };
}

describe("of an index", () => {
  test("one platform is the image itself, byte for byte", async () => {
    const { root, digests } = await attested("one", ["linux/amd64", "linux/arm64"]);
    expect((await select(root, "arm64")).descriptor.digest).toBe(digests[1]);
    expect((await select(root, "linux/arm64/v8")).descriptor.digest).toBe(digests[1]);
  });

  test("several are an index of those, in its order, with the attestations about them and all else it says", async () => {
    const { root, manifests, digests } = await attested("some", ["linux/amd64", "linux/arm64", "linux/arm/v7"], {
      annotations: { a: "b" },
    });
    const some = await select(root, "linux/arm/v7", "linux/amd64");
    expect(some.manifests.map((one) => one.digest)).toEqual([digests[0], digests[2], digests[3], digests[5]]);
    expect(JSON.parse(Buffer.from(some.bytes).toString())).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [0, 2, 3, 5].map((i) => manifests[i]),
      annotations: { a: "b" },
    });
  });

  test("all of them are the index itself, and so are none", async () => {
    const { root } = await attested("all", ["linux/amd64", "linux/arm64"]);
    expect(await select(root, "linux/amd64", "linux/arm64")).toBe(root);
    expect(await select(root)).toBe(root);
  });

  test("two platforms that one image serves bring it once", async () => {
    const { root, digests } = await attested("shared", ["linux/arm/v6", "linux/amd64"]);
    const some = await select(root, "linux/arm/v7", "linux/arm/v6");
    expect(some.manifests.map((one) => one.digest)).toEqual([digests[0], digests[2]]);
  });

  test("a platform that is not there is an error that names those that are", async () => {
    const { root } = await attested("absent", ["linux/amd64", "linux/arm64", "windows(10.0.20348.1)/amd64"]);
    for (const wanted of [["linux/s390x"], ["linux/amd64", "linux/s390x"]]) {
      await expect(select(root, ...wanted)).rejects.toMatchObject({
        code: "MANIFEST_UNKNOWN",
        side: "source",
        message: `host.example/app@${root.descriptor.digest} has no image for linux/s390x`,
        hint: "it has: linux/amd64, linux/arm64, windows(10.0.20348.1)/amd64",
      });
    }
    const bare = images.indexOf([images.image("bare")]);
    const nameless = buildManifest({
      mediaType: mediaTypes.ociIndex,
      manifests: bare.manifest.manifests.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    });
    await expect(select(nameless, "amd64")).rejects.toMatchObject({ hint: "it names no platforms" });
  });

  test("an image that it lists and does not have is an error", async () => {
    const index = images.twoPlatforms("nowhere");
    await expect(select(index.manifest, "amd64")).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN", side: "source" });
  });
});

describe("of a single image", () => {
  test("its own platform is the image itself, and so is one that runs it", async () => {
    const one = images.image("single", { platform: "linux/arm/v6" });
    await images.putImage(store, one);
    expect(await select(one.manifest, "linux/arm/v6")).toBe(one.manifest);
    expect(await select(one.manifest, "linux/amd64", "linux/arm/v7")).toBe(one.manifest);
    expect(await select(one.manifest)).toBe(one.manifest);
  });

  test("another is an error", async () => {
    const one = images.image("other");
    await images.putImage(store, one);
    await expect(select(one.manifest, "windows/amd64")).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
      hint: "it has: linux/amd64",
    });
  });

  test("an artifact, which is for none, passes", async () => {
    const one = images.artifact("artifact", images.image("subject").manifest.descriptor);
    await images.putImage(store, one);
    expect(await select(one.manifest, "linux/amd64")).toBe(one.manifest);
  });
});

test("a copy of an empty list of platforms is a copy of all", async () => {
  const [from, to] = [memoryStore("a"), memoryStore("b")];
  const index = images.twoPlatforms("no platforms");
  await images.putImage(from, index, "v1");
  const [outcome] = await copier(from, [{ store: to }], { platforms: [] }).copy("v1", "v1");
  expect(outcome).toMatchObject({ result: { digest: index.manifest.descriptor.digest, manifests: 3 } });
  const [again] = await copier(from, [{ store: to }], { platforms: [] }).update("v1");
  expect(again).toMatchObject({ result: { outcome: "unchanged" } });
});
