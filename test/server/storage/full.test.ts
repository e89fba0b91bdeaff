import { existsSync } from "node:fs";
import { readdir, rm, symlink } from "node:fs/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { createRegistry } from "../../../src/server/registry.ts";
import { diskStorage } from "../../../src/server/storage/disk.ts";
import { openMetadataFile } from "../../../src/server/storage/schema.ts";
import { sqliteMetadata } from "../../../src/server/storage/sqlite-metadata.ts";
import { randomBytes } from "../../support/images.ts";
import { pushBlob, sender, type Send } from "../support.ts";
import { temporaryDirectory } from "./storages.ts";

const full = { code: "UNAVAILABLE", status: 507 };
/** A device that is always full. */
const device = "/dev/full";

async function onDisk(): Promise<{ directory: string; send: Send }> {
  const directory = await temporaryDirectory();
  const registry = createRegistry({ storage: diskStorage(directory) });
  onTestFinished(() => registry.close());
  await pushBlob(sender(registry.transport), "app", "before");
  return { directory, send: sender(registry.transport) };
}

describe.skipIf(!existsSync(device))("on a full disk", () => {
  test("the push of a small blob is answered 507 and leaves nothing, and works once there is room", async () => {
    const { directory, send } = await onDisk();
    const digest = digestOf("after");
    const push = (): ReturnType<Send> => send("POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body: "after" });
    // The second file that this process writes.
    await symlink(device, `${directory}/uploads/${hexOf(digest)}.1`);
    expect(await push()).toMatchObject({ status: 507, code: "UNAVAILABLE" });
    expect(await send("HEAD", `/v2/app/blobs/${digest}`)).toMatchObject({ status: 404 });
    expect(await readdir(`${directory}/uploads`)).toEqual([]);
    expect(await push()).toMatchObject({ status: 201 });
    expect(await send("GET", `/v2/app/blobs/${digestOf("before")}`)).toMatchObject({ status: 200, text: "before" });
  });

  test("an upload fails by the time it is committed, however its pieces came", async () => {
    const directory = await temporaryDirectory();
    const storage = await diskStorage(directory).open();
    onTestFinished(() => storage.close());
    const { blobs } = storage;
    const bytes = randomBytes("large", 3_000_000);
    for (const size of [1000, 1_500_000, 3_000_000]) {
      await symlink(device, `${directory}/uploads/large`);
      const file = await blobs.openUpload("large", 0);
      const write = async (): Promise<void> => {
        for (let at = 0; at < bytes.byteLength; at += size) await file.write(bytes.subarray(at, at + size));
        await file.commit(digestOf(bytes));
      };
      await expect(write()).rejects.toMatchObject(full);
      expect(await blobs.size(digestOf(bytes))).toBeUndefined();
      await rm(`${directory}/uploads/large`);
    }
  });
});

test("metadata that do not fit are refused with 507, and what was there stays", async () => {
  const file = await openMetadataFile(await temporaryDirectory());
  onTestFinished(file.close);
  const metadata = sqliteMetadata(file, Date.now);
  const put = async (text: string): Promise<unknown> => {
    const bytes = Buffer.from(text);
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
    return metadata.putManifest("app", { descriptor, bytes }, { tags: ["latest"], needs: [] });
  };
  await put("small");
  const { page_count: pages } = file.database.prepare("PRAGMA page_count").get() as { page_count: number };
  file.database.exec(`PRAGMA max_page_count = ${pages + 2}`);
  await expect(put("x".repeat(100_000))).rejects.toMatchObject(full);
  expect((await metadata.manifest("app", "latest"))?.descriptor.digest).toBe(digestOf("small"));
  file.database.exec("PRAGMA max_page_count = 1000000");
  expect(await put("x".repeat(100_000))).toBeUndefined();
  expect((await metadata.manifest("app", "latest"))?.descriptor.size).toBe(100_000);
});
