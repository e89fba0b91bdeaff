import { spawn, spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { collect, contentOf, type ByteStream } from "../../../src/oci/stream.ts";
import { ociArchiveStore } from "../../../src/store/archive/oci-archive.ts";
import { soleReference } from "../../../src/store/local-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { all, expectCode } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const [one, two] = [images.image("one"), images.twoPlatforms("two")];

async function archive(made = one, tag = "v1"): Promise<string> {
  const path = join(await temporaryDirectory(), "image.tar");
  await write(ociArchiveStore(path), made, tag);
  return path;
}

async function write(store: Store, made: images.TestImage, tag?: string): Promise<void> {
  await images.putImage(store, made, tag);
  await store.flush();
  await store.close();
}

async function expectWhole(store: Store, ref: string, made: images.TestImage): Promise<void> {
  expect((await store.head(ref))?.digest).toBe(made.manifest.descriptor.digest);
  for (const { manifest, blobs } of images.allOf(made)) {
    expect((await store.manifest(manifest.descriptor.digest))?.descriptor).toEqual(manifest.descriptor);
    for (const { descriptor } of blobs) {
      const stream = await store.blob(descriptor.digest, { transient: true });
      expect(digestOf(await collect(stream, 1e9))).toBe(descriptor.digest);
    }
  }
}

function opened(path: string, options?: Parameters<typeof ociArchiveStore>[1]): ReturnType<typeof ociArchiveStore> {
  const store = ociArchiveStore(path, options);
  onTestFinished(() => store.close());
  return store;
}

describe("an archive in a file", () => {
  test("takes no place of a pipe or a device", async () => {
    const path = join(await temporaryDirectory(), "pipe");
    spawnSync("mkfifo", [path]);
    await expectCode("INVALID", () => write(opened(path), one, "v1"));
    expect((await stat(path)).isFIFO()).toBe(true);
  });

  test("is there when it is flushed, and nothing else is", async () => {
    const folder = await temporaryDirectory();
    const store = opened(join(folder, "image.tar"));
    await images.putImage(store, one, "v1");
    expect(await readdir(folder)).not.toContain("image.tar");
    await store.flush();
    expect(await readdir(folder)).toEqual(["image.tar"]);
  });

  test("is dropped when it is closed before", async () => {
    const folder = await temporaryDirectory();
    const store = opened(join(folder, "image.tar"));
    await images.putImage(store, one, "v1");
    await store.close();
    expect(await readdir(folder)).toEqual([]);
  });

  test("is the same for the same puts", async () => {
    expect(digestOf(await readFile(await archive(two)))).toBe(digestOf(await readFile(await archive(two))));
  });

  test("stays as it is where nothing is put", async () => {
    const path = await archive();
    const before = await readFile(path);
    const store = opened(path);
    await store.head("v1");
    await store.flush();
    await store.close();
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test("stays as it is where the new one is not finished", async () => {
    const path = await archive();
    const store = opened(path);
    await images.putImage(store, two, "v2");
    await store.close();
    await expectWhole(opened(path), "v1", one);
    expect(await readdir(join(path, ".."))).toEqual(["image.tar"]);
  });

  test("may be read while a new one takes its place", async () => {
    const path = await archive();
    const source = opened(path);
    await source.head("v1");
    await write(opened(path), two, "v2");
    await expectWhole(source, "v1", one);
    expect(await all(source.tags())).toEqual(["v1"]);
  });

  test("is not changed by deleting", async () => {
    const store = opened(await archive());
    await expectCode("UNSUPPORTED", () => store.deleteTag("v1"));
    await expectCode("UNSUPPORTED", () => store.deleteManifest(one.manifest.descriptor.digest));
    await expectCode("MANIFEST_UNKNOWN", () => store.deleteTag("absent"));
    await expectWhole(store, "v1", one);
  });

  test("takes nothing after the flush", async () => {
    const store = opened(join(await temporaryDirectory(), "image.tar"));
    await images.putImage(store, one, "v1");
    await store.flush();
    await expectCode("UNSUPPORTED", () => images.putImage(store, two, "v2"));
    await expectWhole(store, "v1", one);
  });

  test("that cannot be created is an error that names it", async () => {
    const store = opened("/absent/folder/image.tar");
    await expect(images.putImage(store, one)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("/absent/folder"),
    });
    await store.flush();
  });

  test("has its only image found", async () => {
    expect(await soleReference(opened(await archive()))).toBe("v1");
    await expectCode("MANIFEST_UNKNOWN", () => soleReference(opened("/absent.tar")));
  });
});

describe("reading", () => {
  test.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("unpacks %s", async (_, compress) => {
    const path = await archive(two);
    await writeFile(`${path}.packed`, compress(await readFile(path)));
    await expectWhole(opened(`${path}.packed`), "v1", two);
  });

  test("takes standard input", async () => {
    const stdin = createReadStream(await archive(two)) as AsyncIterable<Uint8Array>;
    const store = opened("-", { stdin });
    await expectWhole(store, "v1", two);
    expect(await soleReference(store)).toBe("v1");
  });

  test("takes a pipe", async () => {
    const path = await archive(two);
    const pipe = `${path}.pipe`;
    const child = spawn("sh", ["-c", 'mkfifo "$1" && echo made && cat "$0" > "$1"', path, pipe]);
    onTestFinished(() => void child.kill());
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await expectWhole(opened(pipe), "v1", two);
  });

  test("says what a path is that is no archive", async () => {
    const folder = await temporaryDirectory();
    await mkdir(join(folder, "directory"));
    await writeFile(join(folder, "text"), "hello");
    await writeFile(join(folder, "empty"), "");
    await expect(opened(join(folder, "directory")).head("v1")).rejects.toMatchObject({
      code: "INVALID",
      hint: expect.stringContaining("oci:"),
    });
    await expectCode("CORRUPT", () => opened(join(folder, "text")).head("v1"));
    await expectCode("CORRUPT", () => opened(join(folder, "empty")).head("v1"));
  });

  test("an archive with a damaged blob is UNVERIFIED at its end", async () => {
    const path = await archive();
    const bytes = await readFile(path);
    const layer = one.blobs[1]!;
    const at = bytes.indexOf(Buffer.from(layer.bytes));
    bytes[at]! ^= 1;
    await copyFile(path, `${path}.damaged`);
    await writeFile(`${path}.damaged`, bytes);
    await expectCode("UNVERIFIED", async () => {
      for await (const _ of await opened(`${path}.damaged`).blob(layer.descriptor.digest));
    });
  });

  test("fails again and again, not only the first time", async () => {
    const path = join(await temporaryDirectory(), "late.tar");
    await writeFile(path, "hello");
    const store = opened(path);
    await expectCode("CORRUPT", () => store.head("v1"));
    await expectCode("CORRUPT", () => store.head("v1"));
    await copyFile(await archive(), path);
    await expectWhole(store, "v1", one);
  });
});

describe("an archive on standard output", () => {
  test("is what a file would be", async () => {
    const stdout = new PassThrough();
    const written = collect(stdout as AsyncIterable<Uint8Array>, 1e9);
    await write(opened("-", { stdout }), two, "v1");
    stdout.end();
    expect(digestOf(await written)).toBe(digestOf(await readFile(await archive(two))));
  });

  test("tells what it has, and gives no blob back", async () => {
    const stdout = new PassThrough();
    stdout.resume();
    const store = opened("-", { stdout });
    await images.putImage(store, one, "v1");
    expect((await store.manifest("v1"))?.descriptor).toEqual(one.manifest.descriptor);
    expect(await store.size(one.blobs[0]!.descriptor.digest)).toBe(one.blobs[0]!.bytes.byteLength);
    await expectCode("UNSUPPORTED", async () => store.blob(one.blobs[0]!.descriptor.digest));
  });

  test("goes no faster than it is read", async () => {
    let taken = 0;
    let produced = 0;
    const stdout = new Writable({
      highWaterMark: 1,
      write: (chunk: Uint8Array, _encoding, done) => {
        taken += chunk.byteLength;
        setImmediate(done);
      },
    });
    const { descriptor, bytes } = images.randomBlob("slow", 1_000_000);
    const content = async function* (): ByteStream {
      for (let at = 0; at < bytes.byteLength; at += 50_000) {
        expect(produced - taken).toBeLessThanOrEqual(50_000);
        produced += 50_000;
        yield bytes.subarray(at, at + 50_000);
      }
    };
    await opened("-", { stdout }).putBlob(descriptor, async () => content());
    expect(taken).toBeGreaterThan(1_000_000);
  });

  test("whose reader goes away is an error, not a crash", async () => {
    const child = spawn("head", ["-c", "1000"], { stdio: ["pipe", "ignore", "ignore"] });
    const store = opened("-", { stdout: child.stdin });
    const large = images.randomBlob("large", 3_000_000);
    const put = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await store.putBlob(large.descriptor, contentOf(large.bytes), { replace: true });
    };
    await expect(put()).rejects.toMatchObject({
      name: "RegistryError",
      message: expect.stringContaining("standard output"),
    });
    await expect(store.flush()).rejects.toMatchObject({ name: "RegistryError" });
  });

  test("is broken by bytes that are not what they should be", async () => {
    const stdout = new PassThrough();
    stdout.resume();
    const store = opened("-", { stdout });
    const { descriptor } = images.randomBlob("expected");
    await expectCode("UNVERIFIED", () => store.putBlob(descriptor, contentOf(images.randomBytes("other", 1000))));
    await expectCode("UNVERIFIED", () => images.putImage(store, one, "v1"));
    await expectCode("UNVERIFIED", () => store.flush());
  });

  test("has to be given", async () => {
    await expectCode("INVALID", () => images.putImage(opened("-"), one));
    expect(await opened("-").head("v1")).toBeUndefined();
  });
});

test("many blobs are written one after the other, opened when their turn has come", async () => {
  const store = opened(join(await temporaryDirectory(), "image.tar"));
  let open = 0;
  const content = async function* (bytes: Uint8Array): ByteStream {
    expect((open += 1)).toBe(1);
    yield bytes;
    open -= 1;
  };
  const many = Array.from({ length: 10 }, (_, i) => images.randomBlob(`many ${i}`));
  await Promise.all(many.map(({ descriptor, bytes }) => store.putBlob(descriptor, async () => content(bytes))));
  expect(open).toBe(0);
});
