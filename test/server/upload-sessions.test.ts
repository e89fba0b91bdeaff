import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { streamOf } from "../../src/oci/stream.ts";
import { memoryStorage } from "../../src/server/storage/memory.ts";
import type { BlobStorage } from "../../src/server/storage/storage.ts";
import { uploadSessions, type UploadKey, type UploadLimits, type Uploads } from "../../src/server/uploads.ts";

async function sessions(
  limits: UploadLimits = {},
): Promise<{ uploads: Uploads; blobs: BlobStorage; opened: string[]; swept: number[] }> {
  const { blobs } = await memoryStorage().open();
  const opened: string[] = [];
  const swept: number[] = [];
  const watched: BlobStorage = {
    ...blobs,
    openUpload(name, size) {
      opened.push(name);
      return blobs.openUpload(name, size);
    },
    async sweepUploads(before) {
      swept.push(before);
    },
  };
  return { uploads: uploadSessions(watched, limits), blobs, opened, swept };
}

async function start(uploads: Uploads): Promise<UploadKey> {
  return { id: await uploads.start("app", "ada"), repository: "app", user: "ada" };
}
async function append(uploads: Uploads, key: UploadKey, bytes: Uint8Array): Promise<void> {
  const upload = await uploads.hold(key);
  await upload!.append(streamOf(bytes));
  upload!.release();
}

test("small uploads stay in memory until they are committed, large ones do not", async () => {
  const { uploads, opened } = await sessions();
  const [small, large] = [await start(uploads), await start(uploads)];
  await append(uploads, small, Buffer.alloc(1_000_000));
  expect(opened).toEqual([]);
  await append(uploads, large, Buffer.alloc(1_100_000));
  expect(opened).toHaveLength(1);
});

test("all of them together keep no more in memory than they may", async () => {
  const { uploads, opened, blobs } = await sessions({ memory: 1000 });
  const [first, second] = [await start(uploads), await start(uploads)];
  await append(uploads, first, Buffer.alloc(800));
  expect(opened).toEqual([]);
  await append(uploads, second, Buffer.alloc(300));
  expect(opened).toHaveLength(1);
  const upload = await uploads.hold(first);
  await upload!.commit(digestOf(Buffer.alloc(800)));
  expect(await blobs.size(digestOf(Buffer.alloc(800)))).toBe(800);
  const third = await start(uploads);
  await append(uploads, third, Buffer.alloc(900));
  expect(opened).toHaveLength(1);
});

test("past the limit, the upload left alone longest goes on from storage; what was in memory only is gone", async () => {
  const { uploads, blobs } = await sessions({ live: 2 });
  const [large, small] = [await start(uploads), await start(uploads)];
  await append(uploads, large, Buffer.alloc(2_000_000));
  await append(uploads, small, Buffer.alloc(10));
  for (let i = 0; i < 2; i++) await start(uploads);
  expect(await uploads.size(small)).toBeUndefined();
  expect(await uploads.size(large)).toBe(2_000_000);
  await append(uploads, large, Buffer.alloc(5));
  await (await uploads.hold(large))!.commit(digestOf(Buffer.alloc(2_000_005)));
  expect(await blobs.size(digestOf(Buffer.alloc(2_000_005)))).toBe(2_000_005);
});

test("an upload in use is never the one to go", async () => {
  const { uploads } = await sessions({ live: 1 });
  const used = await start(uploads);
  const upload = await uploads.hold(used);
  await upload!.append(streamOf(Buffer.from("abc")));
  for (let i = 0; i < 3; i++) await start(uploads);
  expect(await uploads.size(used)).toBe(3);
  await upload!.commit(digestOf("abc"));
});

test("an id leads nowhere without its repository and its user", async () => {
  const { uploads } = await sessions();
  const key = await start(uploads);
  expect(await uploads.size(key)).toBe(0);
  for (const other of [
    { ...key, user: "bob" },
    { ...key, repository: "lib" },
    { id: key.id, repository: "app" },
    { ...key, id: "" },
  ]) {
    expect(await uploads.size(other)).toBeUndefined();
    expect(await uploads.hold(other)).toBeUndefined();
  }
});

test("an upload left alone for an hour is no longer kept in memory", async () => {
  let now = Date.UTC(2026, 0, 10);
  const { uploads } = await sessions({ now: () => now });
  const [small, large, used] = [await start(uploads), await start(uploads), await start(uploads)];
  await append(uploads, small, Buffer.alloc(10));
  await append(uploads, large, Buffer.alloc(2_000_000));
  now += 50 * 60 * 1000;
  await append(uploads, used, Buffer.alloc(10));
  now += 50 * 60 * 1000;
  await start(uploads);
  expect(await uploads.size(small)).toBeUndefined();
  expect(await uploads.size(large)).toBe(2_000_000);
  expect(await uploads.size(used)).toBe(10);
});

test("old uploads are swept when new ones start, now and then", async () => {
  let now = Date.UTC(2026, 0, 10);
  const { uploads, swept } = await sessions({ now: () => now });
  const day = 24 * 60 * 60 * 1000;
  for (let i = 0; i < 3; i++) await start(uploads);
  expect(swept).toEqual([now - day]);
  now += 60 * 60 * 1000;
  await start(uploads);
  expect(swept).toEqual([now - day - 60 * 60 * 1000, now - day]);
});
