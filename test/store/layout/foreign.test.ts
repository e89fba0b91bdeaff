import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { contentOf } from "../../../src/oci/stream.ts";
import { layoutStore } from "../../../src/store/layout.ts";
import { soleReference } from "../../../src/store/local-store.ts";
import { all, expectCode } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const refName = "org.opencontainers.image.ref.name";
const imageName = "io.containerd.image.name";

/** A layout with these images, whose index.json somebody else wrote: the annotations of each entry. */
async function layoutOf(
  entries: readonly (readonly [images.TestImage, Record<string, string>?])[],
  rest: object = {},
): Promise<string> {
  const path = await temporaryDirectory();
  const store = layoutStore(path);
  for (const [image] of entries) await images.putImage(store, image);
  const manifests = entries.map(([{ manifest }, annotations]) => {
    const { mediaType, digest, size } = manifest.descriptor;
    return { mediaType, digest, size, ...(annotations && { annotations }) };
  });
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, ...rest, manifests }));
  return path;
}

const readIndex = async (path: string): Promise<{ manifests: Record<string, unknown>[]; [key: string]: unknown }> =>
  JSON.parse(await readFile(join(path, "index.json"), "utf8"));

describe("a layout that others wrote", () => {
  const [one, two] = [images.image("one"), images.image("two")];

  test("keeps what Gantry does not know", async () => {
    const path = await layoutOf([[one, { [refName]: "one", "org.example.kept": "yes" }]], {
      "x-unknown": { a: [1, 2] },
      annotations: { b: "c" },
    });
    const before = await readIndex(path);
    await images.putImage(layoutStore(path), two, "two");
    const { manifests, ...rest } = await readIndex(path);
    const { manifests: manifestsBefore, ...restBefore } = before;
    expect(rest).toEqual(restBefore);
    expect(manifests[0]).toEqual(manifestsBefore[0]);
    expect(manifests[1]).toMatchObject({ digest: two.manifest.descriptor.digest, annotations: { [refName]: "two" } });
    expect(manifests).toHaveLength(2);
  });

  test("keeps other annotations of an entry that loses its name", async () => {
    const path = await layoutOf([[one, { [refName]: "one", [imageName]: "x/one", "org.example.kept": "yes" }]]);
    await layoutStore(path).deleteTag("one");
    expect((await readIndex(path)).manifests[0]?.["annotations"]).toEqual({ "org.example.kept": "yes" });
  });

  test("answers to the full names that buildx writes, which tell images with one tag apart", async () => {
    const path = await layoutOf([
      [one, { [refName]: "latest", [imageName]: "example.test/one:latest" }],
      [two, { [refName]: "latest", [imageName]: "example.test/two:latest" }],
    ]);
    const store = layoutStore(path);
    expect(await all(store.tags())).toEqual(["example.test/one:latest", "example.test/two:latest"]);
    expect((await store.head("example.test/two:latest"))?.digest).toBe(two.manifest.descriptor.digest);
    await expectCode("INVALID", () => store.manifest("latest"));
    await expectCode("INVALID", () => store.deleteTag("latest"));
    await expectCode("INVALID", () => store.putManifest(one.manifest, { tag: "latest" }));
    await store.putManifest(two.manifest, { tag: "example.test/one:latest" });
    expect(await all(store.tags())).toEqual(["example.test/one:latest", "latest"]);
  });

  test("names a single image by its tag although it has a full name", async () => {
    const path = await layoutOf([[one, { [refName]: "v1", [imageName]: "example.test/one:v1" }]]);
    const store = layoutStore(path);
    expect(await all(store.tags())).toEqual(["v1"]);
    expect((await store.head("example.test/one:v1"))?.digest).toBe(one.manifest.descriptor.digest);
    await store.deleteTag("example.test/one:v1");
    expect(await all(store.tags())).toEqual([]);
  });

  test("lists referrers by the fallback tag too, each once", async () => {
    const attached = images.artifact("attached", one.manifest.descriptor);
    const path = await layoutOf([[one, { [refName]: "v1" }]]);
    const store = layoutStore(path);
    await images.putImage(store, images.indexOf([attached]), one.manifest.descriptor.digest.replace(":", "-"));
    expect(await all(store.referrers(one.manifest.descriptor.digest))).toEqual([attached.manifest.descriptor]);
    await writeFile(
      join(path, "index.json"),
      JSON.stringify({
        ...(await readIndex(path)),
        manifests: (await readIndex(path)).manifests.filter((entry) => "annotations" in entry),
      }),
    );
    const anew = layoutStore(path);
    expect(await all(anew.referrers(one.manifest.descriptor.digest))).toEqual([attached.manifest.descriptor]);
    expect(await soleReference(anew)).toBe("v1");
  });

  test("may have neither oci-layout nor mediaType", async () => {
    const path = await temporaryDirectory();
    await images.putImage(layoutStore(path), one, "v1");
    const { mediaType: _, ...rest } = await readIndex(path);
    await writeFile(join(path, "index.json"), JSON.stringify(rest));
    expect((await layoutStore(path).head("v1"))?.digest).toBe(one.manifest.descriptor.digest);
  });

  test("of another version is UNSUPPORTED", async () => {
    const path = await layoutOf([[one]]);
    await writeFile(join(path, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}');
    await expectCode("UNSUPPORTED", () => layoutStore(path).head("v1"));
  });

  test("that lists a blob it does not have has no such image, and says so when it is read", async () => {
    const path = await layoutOf([[one, { [refName]: "v1" }]]);
    const store = layoutStore(path);
    const { digest } = one.manifest.descriptor;
    await writeFile(join(path, "blobs", digest.replace(":", "/")), "too short");
    expect(await store.head("v1")).toBeUndefined();
    await expectCode("UNVERIFIED", () => store.manifest("v1"));
    await images.putImage(store, one, "v1");
    expect((await store.manifest("v1"))?.descriptor.digest).toBe(digest);
  });

  test("is not written to by reading", async () => {
    const path = await layoutOf([[one, { [refName]: "v1" }]]);
    const before = await readdir(path, { recursive: true });
    const store = layoutStore(path);
    await all(store.tags());
    await store.manifest("v1");
    await all(store.referrers(one.manifest.descriptor.digest));
    expect(await readdir(path, { recursive: true })).toEqual(before);
    const absent = join(path, "absent");
    expect(await layoutStore(absent).head("v1")).toBeUndefined();
    await expectCode("MANIFEST_UNKNOWN", () => layoutStore(absent).deleteTag("v1"));
    expect(await readdir(path, { recursive: true })).toEqual(before);
  });
});

describe("a layout that Gantry writes", () => {
  test("lists an index, not the children that came before it", async () => {
    const path = await temporaryDirectory();
    const store = layoutStore(path);
    const index = images.twoPlatforms("index");
    for (const child of index.children) await images.putImage(store, child);
    expect((await readIndex(path)).manifests).toHaveLength(2);
    await images.putImage(store, index, "v1");
    expect((await readIndex(path)).manifests.map(({ digest }) => digest)).toEqual([index.manifest.descriptor.digest]);
  });

  test("keeps a child listed that has a name of its own", async () => {
    const path = await temporaryDirectory();
    const store = layoutStore(path);
    const index = images.twoPlatforms("index");
    await images.putImage(store, index.children[0]!, "amd64");
    await images.putImage(store, index, "v1");
    expect(await all(store.tags())).toEqual(["amd64", "v1"]);
  });

  test("replaces a blob of the wrong size", async () => {
    const path = await temporaryDirectory();
    const store = layoutStore(path);
    const { descriptor, bytes } = images.randomBlob("damaged");
    await store.putBlob(descriptor, contentOf(bytes));
    await writeFile(join(path, "blobs", descriptor.digest.replace(":", "/")), bytes.subarray(1));
    expect(await store.putBlob(descriptor, contentOf(bytes))).toBe("written");
    expect(await store.size(descriptor.digest)).toBe(bytes.byteLength);
  });

  test("has no other files in it", async () => {
    const path = await temporaryDirectory();
    const store = layoutStore(join(path, "new", "layout"));
    await images.putImage(store, images.image("clean"), "v1");
    await expect(store.putBlob(images.randomBlob("bad").descriptor, contentOf(new Uint8Array(5)))).rejects.toThrow(
      "corrupt",
    );
    expect((await readdir(join(path, "new", "layout"))).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  test.each(["", "with space", "tab\there", `sha256:${"0".repeat(64)}`])("refuses the name %j", async (tag) => {
    const path = await temporaryDirectory();
    await expectCode("INVALID", () => images.putImage(layoutStore(path), images.image("named"), tag));
  });
});

describe("soleReference", () => {
  const [one, two] = [images.image("one"), images.image("two")];

  test("is the only name", async () => {
    expect(await soleReference(layoutStore(await layoutOf([[one, { [refName]: "v1" }]])))).toBe("v1");
  });

  test("is the digest of the only image without a name", async () => {
    expect(await soleReference(layoutStore(await layoutOf([[one]])))).toBe(one.manifest.descriptor.digest);
  });

  test("is one of the names of the only image", async () => {
    expect(
      await soleReference(
        layoutStore(
          await layoutOf([
            [one, { [refName]: "a" }],
            [one, { [refName]: "b" }],
          ]),
        ),
      ),
    ).toBe("a");
  });

  test("does not count what is attached", async () => {
    const attached = images.artifact("attached", one.manifest.descriptor);
    expect(await soleReference(layoutStore(await layoutOf([[one], [attached]])))).toBe(one.manifest.descriptor.digest);
  });

  test("names the images where there are several", async () => {
    const store = layoutStore(
      await layoutOf([
        [one, { [refName]: "v1" }],
        [two, { [refName]: "v2" }],
      ]),
    );
    await expect(soleReference(store)).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("v1, v2"),
    });
  });

  test("says that there is none", async () => {
    await mkdir(join(await temporaryDirectory(), "empty"));
    await expectCode("MANIFEST_UNKNOWN", async () => soleReference(layoutStore(await temporaryDirectory())));
  });
});
