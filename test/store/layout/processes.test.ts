import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { collect } from "../../../src/oci/stream.ts";
import { layoutStore } from "../../../src/store/layout.ts";
import { all } from "../../contract/store.ts";
import * as images from "../../support/images.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const script = join(import.meta.dirname, "../../support/put-images.ts");

/** A process that puts `count` images, tagged PREFIX0 and so on, and has started. */
async function putter(path: string, prefix: string, count: number, layerSize = 1000): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, path, prefix, String(count), String(layerSize)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

const ended = async (child: ChildProcess): Promise<unknown> =>
  child.exitCode ?? child.signalCode ?? (await once(child, "exit"))[0];

/** Everything that is listed is there and intact. */
async function expectWhole(path: string): Promise<readonly string[]> {
  const store = layoutStore(path);
  const tags = await all(store.tags());
  for (const tag of tags) {
    const manifest = (await store.manifest(tag))!;
    for (const { digest, size } of manifest.blobs) {
      expect(digestOf(await collect(await store.blob(digest), size))).toBe(digest);
    }
  }
  return tags;
}

test("several processes change one layout at once", async () => {
  const path = join(await temporaryDirectory(), "layout");
  const children = await Promise.all(["a", "b"].map((prefix) => putter(path, prefix, 8)));
  const own = layoutStore(path);
  for (let i = 0; i < 8; i++) await images.putImage(own, images.image(`own${i}`, { layers: 1 }), `own${i}`);
  expect(await Promise.all(children.map(ended))).toEqual([0, 0]);
  expect(await expectWhole(path)).toHaveLength(24);
});

test("whenever a process is killed, the layout is whole and the next one goes on", async () => {
  const path = join(await temporaryDirectory(), "layout");
  for (let round = 0; round < 6; round++) {
    const child = await putter(path, `r${round}-`, 1000, 50_000);
    await new Promise((resolve) => setTimeout(resolve, 11 * round));
    child.kill("SIGKILL");
    await ended(child);
    await expectWhole(path);
  }
  await images.putImage(layoutStore(path), images.image("after"), "after");
  expect(await expectWhole(path)).toContain("after");
  expect((await readdir(path)).filter((name) => name.endsWith(".lock"))).toEqual([]);
});
