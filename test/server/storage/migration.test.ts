import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { createRegistry } from "../../../src/server/registry.ts";
import { diskStorage } from "../../../src/server/storage/disk.ts";
import { pushBlob, pushImage, sender, type Send } from "../support.ts";
import { temporaryDirectory } from "./storages.ts";

// The metadata of a directory that Gantry wrote before it kept when images were pulled, and tags moved.
const before = join(import.meta.dirname, "format-1.db.gz");

/** The path of such a directory. */
async function old(): Promise<string> {
  const directory = await temporaryDirectory();
  await writeFile(`${directory}/metadata.db`, gunzipSync(await readFile(before)));
  return directory;
}

/** Serves a directory for as long as the work takes. */
async function serving(directory: string, work: (send: Send) => Promise<void>): Promise<void> {
  const registry = createRegistry({ storage: diskStorage(directory) });
  try {
    await work(sender(registry.transport));
  } finally {
    await registry.close();
  }
}

const v1 = "sha256:546a2147034fa3a0adffb279e456286cbc742e7b8951b495151585b3e3ec48d5";
const v2 = "sha256:8ee812ffa233bb52c66c2bf36ae3c16d17a2c30db9a62bccac61ff78a1a47208";

test("a directory of the first format is served whole, and says of times what is known of them", async () => {
  await serving(await old(), async (send) => {
    expect((await send("GET", "/v2/_catalog")).json).toEqual({ repositories: ["app", "team/lib"] });
    expect((await send("GET", "/v2/app/tags/list")).json).toEqual({ name: "app", tags: ["latest", "v1", "v2"] });
    expect((await send("GET", `/v2/team/lib/referrers/${v1}`)).text).toContain('"digest":"sha256:');
    const { manifests } = (await send("GET", "/v2/app/_gantry/inventory/manifests")).json as { manifests: object[] };
    expect(manifests).toMatchObject([
      { digest: v1, tags: [{ name: "v1" }], pushed: new Date(1_700_000_000_000).toISOString() },
      { digest: v2, tags: [{ name: "latest" }, { name: "v2" }], pushed: new Date(1_720_000_000_000).toISOString() },
    ]);
    expect(JSON.stringify(manifests)).not.toMatch(/"(?:moved|created|platforms)"/);
  });
});

test("what was in it may have been pulled until then, and is not taken for never pulled; what comes later is", async () => {
  const directory = await old();
  const start = Math.floor(Date.now() / 1000) * 1000;
  const told: (readonly (number | undefined)[])[] = [];
  for (const name of ["app", "app", "new"]) {
    await serving(directory, async (send) => {
      if (name === "new") await pushImage(send, name, "v1");
      const { json } = await send("GET", `/v2/${name}/_gantry/inventory/manifests`);
      const { manifests } = json as { manifests: { pulled?: string }[] };
      told.push(manifests.map(({ pulled }) => (pulled === undefined ? undefined : Date.parse(pulled))));
    });
  }
  const [moment = 0] = told[0]!;
  expect(moment).toBeGreaterThanOrEqual(start);
  expect(told).toEqual([[moment, moment], [moment, moment], [undefined]]);
});

test("what is pushed and pulled in it from then on has its times, through a restart", async () => {
  const directory = await old();
  await serving(directory, async (send) => {
    await pushBlob(send, "app", "{}");
    await pushBlob(send, "app", "a layer");
    await send("GET", "/v2/app/manifests/v1");
    await pushImage(send, "app", "v2");
  });
  await serving(directory, async (send) => {
    const { json } = await send("GET", "/v2/app/_gantry/inventory/manifests");
    const moment = expect.any(String) as string;
    expect(json).toMatchObject({
      manifests: [
        { digest: v1, pulled: moment, tags: [{ name: "v1" }, { name: "v2", moved: moment }] },
        { digest: v2, tags: [{ name: "latest" }] },
      ],
    });
  });
});

test("it is changed wholly or not at all", async () => {
  const directory = await old();
  const write = new DatabaseSync(`${directory}/metadata.db`);
  write.exec("CREATE TABLE pulls (x INTEGER)");
  write.close();
  await expect(diskStorage(directory).open()).rejects.toThrow("already exists");
  const found = new DatabaseSync(`${directory}/metadata.db`);
  onTestFinished(() => found.close());
  expect(found.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
  expect(found.prepare("SELECT name FROM pragma_table_info('tags')").all()).toHaveLength(4);
});
