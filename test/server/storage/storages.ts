import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { diskStorage } from "../../../src/server/storage/disk.ts";
import { memoryStorage } from "../../../src/server/storage/memory.ts";
import type { OpenStorage } from "../../../src/server/storage/storage.ts";

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-server-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Every kind of storage, each opened anew for a test and closed after it. */
export const storages: readonly (readonly [string, (now?: () => number) => Promise<OpenStorage>])[] = [
  ["memory", (now = Date.now) => closing(memoryStorage({ now }).open())],
  ["a directory", async (now = Date.now) => closing(diskStorage(await temporaryDirectory(), { now }).open())],
];

async function closing(opening: Promise<OpenStorage>): Promise<OpenStorage> {
  const storage = await opening;
  onTestFinished(() => storage.close());
  return storage;
}
