import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { manifestBody } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { collect } from "../../src/oci/stream.ts";
import { artifactFile, attach, titleAnnotation } from "../../src/graph/attach.ts";
import { check } from "../../src/graph/check.ts";
import { memoryStore } from "../../src/store/memory.ts";
import * as images from "../support/images.ts";

const empty = { mediaType: mediaTypes.ociEmpty, digest: digestOf("{}"), size: 2 };
const file = (text: string, title?: string) => artifactFile(Buffer.from(text), "text/plain", title);

describe("attach", () => {
  test.each(["v1", "digest"])("hangs files on an image by %s", async (by) => {
    const store = memoryStore();
    const image = images.image("subject");
    await images.putImage(store, image, "v1");
    const { mediaType, digest, size } = image.manifest.descriptor;
    const made = await attach(
      store,
      { artifactType: "application/spdx+json", files: [file("one", "one.txt"), file("two")], annotations: { a: "b" } },
      { subject: by === "digest" ? digest : by },
    );
    const manifest = (await store.manifest(made.digest))!;
    expect(manifestBody(manifest)).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: "application/spdx+json",
      config: empty,
      layers: [
        { mediaType: "text/plain", digest: digestOf("one"), size: 3, annotations: { [titleAnnotation]: "one.txt" } },
        { mediaType: "text/plain", digest: digestOf("two"), size: 3 },
      ],
      subject: { mediaType, digest, size },
      annotations: { a: "b" },
    });
    expect(Buffer.from(await collect(await store.blob(digestOf("two")), 10)).toString()).toBe("two");
    expect(await Array.fromAsync(store.referrers(digest))).toEqual([made]);
    expect(made).toMatchObject({ artifactType: "application/spdx+json", annotations: { a: "b" } });
    expect(await check(store, "v1", { deep: true })).toMatchObject({ manifests: 2, findings: [] });
  });

  test("without files has the empty object in their place", async () => {
    const store = memoryStore();
    const made = await attach(store, { artifactType: "application/vnd.example", files: [] }, { tag: "nothing" });
    const manifest = (await store.manifest("nothing"))!;
    expect(manifest.descriptor.digest).toBe(made.digest);
    expect(manifest.blobs).toEqual([empty, empty]);
    expect(manifest.subject).toBeUndefined();
    expect(await check(store, "nothing", { deep: true })).toMatchObject({ findings: [] });
  });

  test("the same twice is the same manifest", async () => {
    const store = memoryStore();
    const artifact = { artifactType: "text/x", files: [file("one", "one.txt")] };
    expect((await attach(store, artifact, { tag: "a" })).digest).toBe(
      (await attach(store, artifact, { tag: "b" })).digest,
    );
    expect(await Array.fromAsync(store.tags())).toEqual(["a", "b"]);
  });

  test("to what is not there puts nothing", async () => {
    const store = memoryStore("host.example/app");
    const artifact = { artifactType: "text/x", files: [file("one")] };
    await expect(attach(store, artifact, { subject: "v1" })).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
      message: "host.example/app:v1 is not there",
    });
    expect(await store.size(digestOf("one"))).toBeUndefined();
  });

  test.each(["", "spdx", "text/", "/x", "text/x; charset=utf-8", "text/x/y", "te xt/x", "text/x\n"])(
    "refuses %j as an artifact's type",
    async (artifactType) => {
      await expect(attach(memoryStore(), { artifactType, files: [] }, {})).rejects.toMatchObject({
        code: "INVALID",
        hint: expect.stringContaining("type/subtype"),
      });
    },
  );

  test.each(["application/vnd.example.a_b-c.v1+json", "text/x", "a/b!#$&^"])(
    "takes %j as an artifact's type",
    async (artifactType) => {
      expect(await attach(memoryStore(), { artifactType, files: [] }, {})).toMatchObject({ artifactType });
    },
  );

  test("stops at the caller's word", async () => {
    await expect(
      attach(memoryStore(), { artifactType: "text/x", files: [] }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "ABORTED" });
  });
});
