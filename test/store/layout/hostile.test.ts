import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../../src/oci/digest.ts";
import { contentOf } from "../../../src/oci/stream.ts";
import { layoutStore } from "../../../src/store/layout.ts";
import type { LocalStore } from "../../../src/store/local-store.ts";
import { all, expectCode } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const made = images.image("made");
const layer = made.blobs[1]!;
const fileOf = (path: string, digest: Digest): string => join(path, "blobs", digest.replace(":", "/"));

async function layout(): Promise<{ readonly path: string; readonly outside: string; readonly store: LocalStore }> {
  const folder = await temporaryDirectory();
  const [path, outside] = [join(folder, "layout"), join(folder, "outside")];
  await mkdir(outside);
  const store = layoutStore(path);
  await images.putImage(store, made, "v1");
  return { path, outside, store };
}

describe("links", () => {
  test("a blob that links out of the layout is CORRUPT", async () => {
    const { path, outside, store } = await layout();
    const file = fileOf(path, layer.descriptor.digest);
    await rename(file, join(outside, "layer"));
    await symlink(join(outside, "layer"), file);
    await expectCode("CORRUPT", () => store.size(layer.descriptor.digest));
    await expectCode("CORRUPT", () => store.blob(layer.descriptor.digest));
  });

  test("a blob that links to another place in the layout is fine", async () => {
    const { path, store } = await layout();
    const file = fileOf(path, layer.descriptor.digest);
    await rename(file, join(path, "elsewhere"));
    await symlink("../../elsewhere", file);
    expect(await store.size(layer.descriptor.digest)).toBe(layer.bytes.byteLength);
    for await (const piece of await store.blob(layer.descriptor.digest)) expect(piece.byteLength).toBeGreaterThan(0);
  });

  test("a folder of blobs that links out of the layout is neither read nor written", async () => {
    const { path, outside } = await layout();
    await rename(join(path, "blobs", "sha256"), join(outside, "sha256"));
    await symlink(join(outside, "sha256"), join(path, "blobs", "sha256"));
    const store = layoutStore(path);
    const { descriptor, bytes } = images.randomBlob("new");
    await expectCode("CORRUPT", () => store.manifest("v1"));
    await expectCode("CORRUPT", () => store.putBlob({ digest: descriptor.digest }, contentOf(bytes)));
    await expectCode("CORRUPT", () => images.putImage(store, images.image("new"), "v2"));
    await expect(readFile(join(outside, descriptor.digest.replace(":", "/")))).rejects.toThrow("ENOENT");
  });

  test("an index.json that links out of the layout is not read", async () => {
    const { path, outside } = await layout();
    await rename(join(path, "index.json"), join(outside, "index.json"));
    await symlink(join(outside, "index.json"), join(path, "index.json"));
    await expectCode("CORRUPT", () => layoutStore(path).head("v1"));
  });

  test("links in a circle are an error", async () => {
    const { path, store } = await layout();
    const file = fileOf(path, layer.descriptor.digest);
    await rm(file);
    await symlink(file, file);
    await expectCode("CORRUPT", () => store.blob(layer.descriptor.digest));
  });
});

describe("files", () => {
  test("a pipe in a blob's place is CORRUPT, and nobody waits for it", async () => {
    const { path, store } = await layout();
    const file = fileOf(path, layer.descriptor.digest);
    await rm(file);
    execFileSync("mkfifo", [file]);
    await expectCode("CORRUPT", () => store.blob(layer.descriptor.digest));
  });

  test("a directory in a blob's place is CORRUPT", async () => {
    const { path, store } = await layout();
    const file = fileOf(path, layer.descriptor.digest);
    await rm(file);
    await mkdir(file);
    await expectCode("CORRUPT", () => store.blob(layer.descriptor.digest));
  });

  test("a blob with other bytes is UNVERIFIED at its end", async () => {
    const { path, store } = await layout();
    await writeFile(fileOf(path, layer.descriptor.digest), images.randomBytes("other", layer.bytes.byteLength));
    await expectCode("UNVERIFIED", async () => {
      for await (const _ of await store.blob(layer.descriptor.digest));
    });
  });

  test("a file where the directory should be is INVALID", async () => {
    const { path } = await layout();
    await expectCode("INVALID", () => layoutStore(join(path, "oci-layout")).head("v1"));
    await expectCode("INVALID", () =>
      layoutStore(join(path, "oci-layout")).putBlob(layer.descriptor, contentOf(layer.bytes)),
    );
  });

  test("a digest that is a path is refused", async () => {
    const { store } = await layout();
    for (const bad of ["sha256:../../../etc/passwd", "../x:y", `sha256:${"A".repeat(64)}`] as Digest[]) {
      await expectCode("DIGEST_INVALID", () => store.size(bad));
      await expectCode("DIGEST_INVALID", () => store.blob(bad));
      await expectCode("DIGEST_INVALID", () => store.putBlob({ digest: bad }, contentOf(new Uint8Array())));
    }
  });
});

describe("index.json", () => {
  const digest = made.manifest.descriptor.digest;
  test.each([
    ["{", /index\.json is corrupt: .*JSON.* position 1/],
    ['{"manifests": [}', /Unexpected token '\}'/],
    ["[]", /not a JSON object/],
    ['{"manifests": {}}', /manifests is not a list/],
    ['{"manifests": [{}]}', /manifests\[0\]\.mediaType/],
    [`{"manifests": [{"mediaType":"a/b","digest":"${digest}","size":-1}]}`, /manifests\[0\]\.size/],
    ['{"manifests": [{"mediaType":"a/b","digest":"sha256:../x","size":1}]}', /manifests\[0\]\.digest/],
    [Buffer.from([0xff, 0xfe, 0x7b]), /index\.json is corrupt/],
  ])("%s is CORRUPT, with the place", async (text, message) => {
    const { path } = await layout();
    await writeFile(join(path, "index.json"), text);
    const outcome = layoutStore(path).head("v1");
    await expect(outcome).rejects.toMatchObject({ code: "CORRUPT", message: expect.stringMatching(message) });
    await expectCode("CORRUPT", () => all(layoutStore(path).tags()));
    await expectCode("CORRUPT", () => images.putImage(layoutStore(path), images.image("more"), "v2"));
  });

  test("of more than 64 MiB is TOO_LARGE", async () => {
    const { path } = await layout();
    await truncate(join(path, "index.json"), 64 * 1024 * 1024 + 1);
    await expectCode("TOO_LARGE", () => layoutStore(path).head("v1"));
  });

  test("that lists itself as its child ends", async () => {
    const { path } = await layout();
    const { mediaType, size } = made.manifest.descriptor;
    const entry = {
      mediaType,
      digest,
      size,
      annotations: { "org.opencontainers.image.ref.name": `sha256-${digest.slice(7)}` },
    };
    await writeFile(join(path, "index.json"), JSON.stringify({ manifests: [entry, entry] }));
    expect(await all(layoutStore(path).referrers(digest))).toEqual([]);
  });
});
