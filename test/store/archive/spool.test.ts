import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { nameless, spool, type BombLimits } from "../../../src/store/archive/spool.ts";
import type { ByteStream } from "../../../src/oci/stream.ts";
import { expectCode } from "../../contract/store.ts";
import { randomBytes } from "../../support/images.ts";

const content = Buffer.from(randomBytes("spooled", 300_000));

async function spooled(bytes: Uint8Array, limits?: BombLimits): Promise<Buffer> {
  const inPieces = async function* (): ByteStream {
    for (let at = 0; at < bytes.byteLength; at += 3) {
      const end = at < 12 ? at + 3 : bytes.byteLength;
      yield bytes.subarray(at, end);
      at = end - 3;
    }
  };
  const { file, size } = await spool(inPieces(), "the archive", { ...(limits && { limits }) });
  onTestFinished(() => file.close());
  const read = Buffer.alloc(size);
  await file.read(read, 0, size, 0);
  return read;
}

const left = async (): Promise<readonly string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith(`gantry-${process.pid}-`));

test.each([
  ["plain", content],
  ["gzip", gzipSync(content)],
  ["gzip in two members", Buffer.concat([gzipSync(content.subarray(0, 1000)), gzipSync(content.subarray(1000))])],
  ["zstd", zstdCompressSync(content)],
])("%s bytes are spooled unpacked, in a file without a name", async (_, bytes) => {
  expect((await spooled(bytes)).equals(content)).toBe(true);
  expect(await left()).toEqual([]);
});

test("nothing may be spooled", async () => {
  expect(await spooled(Buffer.alloc(0))).toHaveLength(0);
});

test.each([
  ["bzip2", Buffer.from("BZh91AY&SY")],
  ["xz", Buffer.from("fd377a585a000000", "hex")],
])("%s is UNSUPPORTED", async (_, bytes) => {
  await expectCode("UNSUPPORTED", () => spooled(bytes));
});

test.each([
  ["gzip that is cut off", gzipSync(content).subarray(0, 50_000)],
  ["zstd that is cut off", zstdCompressSync(content).subarray(0, 50_000)],
  ["gzip with other bytes in it", Buffer.from(gzipSync(Buffer.alloc(5000))).fill(0xee, 12, 20)],
  ["zstd with other bytes in it", Buffer.from(zstdCompressSync(content)).fill(0xee, 4, 20)],
])("%s is CORRUPT", async (_, bytes) => {
  await expectCode("CORRUPT", () => spooled(bytes));
  expect(await left()).toEqual([]);
});

test.each([
  ["gzip", gzipSync(Buffer.alloc(3_000_000))],
  ["zstd", zstdCompressSync(Buffer.alloc(3_000_000))],
])("a decompression bomb of %s is TOO_LARGE", async (_, bytes) => {
  await expectCode("TOO_LARGE", () => spooled(bytes, { size: 1_000_000, ratio: 200 }));
  expect((await spooled(bytes, { size: 4_000_000, ratio: 200 })).length).toBe(3_000_000);
});

test("a folder that cannot be written to is named", async () => {
  await expect(nameless("/absent/folder")).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining("/absent/folder"),
  });
});

test("a stream that breaks off leaves nothing and says why", async () => {
  const broken = async function* (): ByteStream {
    yield content;
    throw new Error("broke off");
  };
  await expect(spool(broken(), "the archive")).rejects.toThrow("broke off");
  expect(await left()).toEqual([]);
});
