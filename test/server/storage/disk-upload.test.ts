import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { appender } from "../../../src/server/storage/disk-upload.ts";

async function temporaryFile() {
  const folder = await mkdtemp(join(tmpdir(), "gantry-appender-"));
  const file = await open(join(folder, "upload"), "w");
  onTestFinished(async () => {
    await file.close();
    await rm(folder, { recursive: true });
  });
  return { file, path: join(folder, "upload") };
}

test("pieces are written in order", async () => {
  const { file, path } = await temporaryFile();
  const pieces = appender(file, 0);
  for (let i = 0; i < 40; i++) await pieces.append(Buffer.alloc(100_000, i));
  await pieces.finish();
  const bytes = await readFile(path);
  expect(bytes.byteLength).toBe(4_000_000);
  for (let i = 0; i < 40; i++) expect(bytes[i * 100_000 + 99_999]).toBe(i);
});

test("a sync that failed on the way is not forgotten, since the last one may succeed", async () => {
  const { file } = await temporaryFile();
  let syncs = 0;
  const failing = new Proxy(file, {
    get(target, name) {
      if (name === "datasync") return () => (syncs++ === 0 ? Promise.reject(new Error("EIO")) : Promise.resolve());
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const pieces = appender(failing, 0);
  for (let i = 0; i < 40; i++) await pieces.append(Buffer.alloc(1024 * 1024));
  await expect(pieces.finish()).rejects.toThrow("EIO");
  expect(syncs).toBeGreaterThan(0);
});
