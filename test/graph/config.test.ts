import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { buildManifest, type Manifest } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { contentOf } from "../../src/oci/stream.ts";
import { imageConfig, imagePlatform } from "../../src/graph/config.ts";
import { memoryStore } from "../../src/store/memory.ts";
import * as images from "../support/images.ts";

const store = memoryStore("host.example/app");

/** An image whose config is this text. */
async function configured(text: string, type: string = mediaTypes.ociConfig): Promise<Manifest> {
  const bytes = Buffer.from(text);
  const config = { mediaType: type, digest: digestOf(bytes), size: bytes.byteLength };
  await store.putBlob(config, contentOf(bytes));
  return buildManifest({ mediaType: mediaTypes.ociManifest, config, layers: [] });
}

describe("imageConfig", () => {
  test.each([mediaTypes.ociConfig, mediaTypes.dockerConfig])("reads %s, and keeps its bytes", async (type) => {
    const text = '{ "os":"linux","architecture":"arm64", "config":{"Env":null} }\n';
    const read = await imageConfig(store, await configured(text, type));
    expect(read.config).toEqual({ os: "linux", architecture: "arm64", config: { Env: null } });
    expect(Buffer.from(read.bytes).toString()).toBe(text);
  });

  test("leaves what is no image's alone", async () => {
    const read = await imageConfig(store, await configured("not JSON", "application/vnd.example"));
    expect(read.config).toBeUndefined();
    expect(Buffer.from(read.bytes).toString()).toBe("not JSON");
  });

  test.each(["", "[]", "null", "not JSON", '{"os":'])("refuses %j as an image's", async (text) => {
    const manifest = await configured(text);
    await expect(imageConfig(store, manifest)).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      message: `the config of host.example/app@${manifest.descriptor.digest} is not a JSON object`,
    });
  });

  test("has none of an index, and fails where it is missing or too large", async () => {
    await expect(imageConfig(store, images.twoPlatforms("index").manifest)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      hint: expect.stringContaining("--platform"),
    });
    await expect(imageConfig(store, images.image("absent").manifest)).rejects.toMatchObject({ code: "BLOB_UNKNOWN" });
    await expect(imageConfig(store, await configured(" ".repeat(8 * 1024 * 1024 + 1)))).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
  });
});

test.for<readonly [text: string, type: string, platform: object | undefined]>([
  [
    '{"os":"linux","architecture":"arm","variant":"v6"}',
    mediaTypes.ociConfig,
    { os: "linux", architecture: "arm", variant: "v6" },
  ],
  ['{"os":"linux","architecture":"amd64"}', mediaTypes.dockerConfig, { os: "linux", architecture: "amd64" }],
  ['{"architecture":"amd64"}', mediaTypes.ociConfig, undefined],
  ["{}", mediaTypes.ociEmpty, undefined],
])("imagePlatform of %s is what it says", async ([text, type, platform]) => {
  expect(await imagePlatform(store, await configured(text, type))).toEqual(platform);
  expect(await imagePlatform(store, images.twoPlatforms("index").manifest)).toBeUndefined();
});
