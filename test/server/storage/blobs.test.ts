import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { collect } from "../../../src/oci/stream.ts";
import type { BlobStorage, ReadOptions, UploadFile } from "../../../src/server/storage/storage.ts";
import { randomBytes } from "../../support/images.ts";
import { storages } from "./storages.ts";

const name = "0".repeat(40);

async function read(blobs: BlobStorage, bytes: Uint8Array, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
  const body = await blobs.read(digestOf(bytes), bytes.byteLength, options);
  return body === undefined || body instanceof Uint8Array ? body : collect(body, 1e9);
}

async function write(file: UploadFile, bytes: Uint8Array, pieceSize = 65_536): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += pieceSize) await file.write(bytes.subarray(at, at + pieceSize));
}

describe.each(storages)("blobs in %s", (_, open) => {
  test.each([0, 1, 10_000, 300_000, 5_000_000])(
    "of %i bytes are read as they were written, whole and in part",
    async (size) => {
      const { blobs } = await open();
      const bytes = randomBytes("blob", size);
      expect(await blobs.size(digestOf(bytes))).toBeUndefined();
      expect(await read(blobs, bytes)).toBeUndefined();
      await blobs.write(digestOf(bytes), [bytes.subarray(0, 7), bytes.subarray(7)]);
      expect(await blobs.size(digestOf(bytes))).toBe(size);
      for (const transient of [false, true]) {
        expect(Buffer.compare((await read(blobs, bytes, { transient }))!, bytes)).toBe(0);
        const range = { start: size >> 2, end: size >> 1 };
        expect(
          Buffer.compare((await read(blobs, bytes, { transient, range }))!, bytes.subarray(range.start, range.end)),
        ).toBe(0);
      }
    },
  );

  test("of another size than asked for are not there", async () => {
    const { blobs } = await open();
    for (const size of [10, 500_000]) {
      const bytes = randomBytes("blob", size);
      await blobs.write(digestOf(bytes), [bytes.subarray(0, 7), bytes.subarray(7)]);
      expect(await blobs.read(digestOf(bytes), size + 1)).toBeUndefined();
      expect(await read(blobs, bytes)).toBeDefined();
    }
  });

  test.each([0, 100, 3_000_000])("come together from uploads (%i bytes)", async (size) => {
    const { blobs } = await open();
    const bytes = randomBytes("upload", size);
    expect(await blobs.uploadSize(name)).toBeUndefined();
    const half = size >> 1;
    const first = await blobs.openUpload(name, 0);
    await write(first, bytes.subarray(0, half));
    await first.close();
    expect(await blobs.uploadSize(name)).toBe(half);
    const state = await blobs.digestUpload(name, "sha512");
    expect(state.size).toBe(half);
    state.update(bytes.subarray(half));
    expect(state.digest()).toBe(digestOf(bytes, "sha512"));
    const second = await blobs.openUpload(name, half);
    await write(second, bytes.subarray(half), 1000);
    await second.commit(digestOf(bytes));
    expect(await blobs.uploadSize(name)).toBeUndefined();
    expect(Buffer.compare((await read(blobs, bytes))!, bytes)).toBe(0);
  });

  test("an upload that is not what it should be is lost", async () => {
    const { blobs } = await open();
    const file = await blobs.openUpload(name, 0);
    await file.write(Buffer.from("abc"));
    await file.close();
    await expect(blobs.openUpload(name, 2)).rejects.toMatchObject({ code: "BLOB_UPLOAD_UNKNOWN" });
    await expect(blobs.openUpload("1".repeat(40), 3)).rejects.toMatchObject({ code: "BLOB_UPLOAD_UNKNOWN" });
    expect(await blobs.uploadSize(name)).toBe(3);
  });

  test("uploads are removed by name and by age", async () => {
    const { blobs } = await open();
    for (const upload of ["a", "b", "c"]) await (await blobs.openUpload(upload, 0)).close();
    await blobs.removeUpload("a");
    await blobs.removeUpload("a");
    expect(await blobs.uploadSize("a")).toBeUndefined();
    await blobs.sweepUploads(Date.now() - 60_000);
    expect(await blobs.uploadSize("b")).toBe(0);
    await blobs.sweepUploads(Date.now() + 60_000);
    expect(await blobs.uploadSize("b")).toBeUndefined();
    expect(await blobs.uploadSize("c")).toBeUndefined();
  });

  test("the same blob may come twice at once", async () => {
    const { blobs } = await open();
    const bytes = randomBytes("twice", 2_000_000);
    const push = async (upload: string): Promise<void> => {
      const file = await blobs.openUpload(upload, 0);
      await write(file, bytes);
      await file.commit(digestOf(bytes));
    };
    await Promise.all([push("a"), push("b"), blobs.write(digestOf(bytes), [bytes.subarray(0, 7), bytes.subarray(7)])]);
    expect(Buffer.compare((await read(blobs, bytes))!, bytes)).toBe(0);
  });

  test("pieces that are not transient stay what they are", async () => {
    const { blobs } = await open();
    const bytes = randomBytes("pieces", 4_000_000);
    await blobs.write(digestOf(bytes), [bytes.subarray(0, 7), bytes.subarray(7)]);
    const body = await blobs.read(digestOf(bytes), bytes.byteLength);
    const pieces: Uint8Array[] = [];
    if (body instanceof Uint8Array) pieces.push(body);
    else for await (const piece of body!) pieces.push(piece);
    expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0);
  });
});
