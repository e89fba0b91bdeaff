import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { notedPulls, type Pull } from "../../../src/server/storage/pulls.ts";
import type { StoredManifest } from "../../../src/server/storage/storage.ts";

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 20) }));
afterEach(() => void vi.useRealTimers());

function manifest(text: string): StoredManifest {
  const bytes = Buffer.from(text);
  return { descriptor: { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length }, bytes };
}

test("many pulls of one manifest are written once, and not with the pull", async () => {
  const written: Pull[][] = [];
  const pulls = notedPulls(Date.now, async (batch) => void written.push([...batch]));
  const one = manifest("one");
  const pull = { repository: "app", digest: one.descriptor.digest, pulled: Date.now() };
  for (let i = 0; i < 1000; i++) pulls.note("app", one);
  expect([written, pulls.find("app", one.descriptor.digest)]).toEqual([[], pull.pulled]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([written, pulls.find("app", one.descriptor.digest)]).toEqual([[[pull]], undefined]);
  await vi.advanceTimersByTimeAsync(3_540_000);
  pulls.note("app", one);
  await pulls.flush();
  expect(written.slice(1)).toEqual([[{ ...pull, pulled: pull.pulled + 3_600_000 }]]);
});

test("those of many are written a few at a time, and soon where they are very many", async () => {
  const sizes: number[] = [];
  const pulls = notedPulls(Date.now, async (batch) => void sizes.push(batch.length));
  for (let i = 0; i < 9999; i++) pulls.note("app", manifest(String(i)));
  expect(sizes).toEqual([]);
  pulls.note("app", manifest("last"));
  await vi.advanceTimersByTimeAsync(0);
  expect(sizes).toEqual(Array.from({ length: 20 }, () => 500));
});

test("what cannot be written is lost, and fails nobody", async () => {
  const pulls = notedPulls(Date.now, () => Promise.reject(new Error("the disk is full")));
  pulls.note("app", manifest("one"));
  await vi.advanceTimersByTimeAsync(60_000);
  await pulls.flush();
  expect(pulls.find("app", manifest("one").descriptor.digest)).toBeUndefined();
});

test("a pull while the last is written is kept", async () => {
  const wait = Promise.withResolvers<void>();
  const written: number[] = [];
  const pulls = notedPulls(Date.now, async (batch) => {
    written.push(...batch.map(({ pulled }) => pulled));
    await wait.promise;
  });
  const one = manifest("one");
  const { digest } = one.descriptor;
  pulls.note("app", one);
  const first = Date.now();
  void pulls.flush();
  await vi.advanceTimersByTimeAsync(3_600_000);
  pulls.note("app", one);
  wait.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(pulls.find("app", digest)).toBe(first + 3_600_000);
  await pulls.flush();
  expect([written, pulls.find("app", digest)]).toEqual([[first, first + 3_600_000], undefined]);
});
