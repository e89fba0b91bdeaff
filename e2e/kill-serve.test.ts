import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "../src/oci/digest.ts";
import { randomBytes } from "../test/support/images.ts";
import { dice } from "./support/dice.ts";
import { makeImage } from "./support/images.ts";
import { broken, type Pusher, pusher } from "./support/pusher.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, start } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// `gantry serve`, killed with SIGKILL while clients push: what was acknowledged is there, and nothing is half there.
const kills = 104;
const pushers = 4;

let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-kill-"));
});
afterEach(async () => {
  await rm(work, { recursive: true, force: true });
});

/** Starts the registry over the same data as before, and says how long that took. */
async function restart(port?: number): Promise<{ readonly registry: RunningRegistry; readonly ms: number }> {
  const began = performance.now();
  const settings = { dataDir: join(work, "data"), folder: work, ...(port !== undefined && { port }) };
  const registry = await startGantryRegistry(settings);
  return { registry, ms: performance.now() - began };
}

/** Starts the registry and kills it before it is ready, perhaps while it recovers. */
async function killedStart(moment: number): Promise<void> {
  const running = start(gantryPath, ["serve", "--data", join(work, "data"), "--listen", "127.0.0.1:0"]);
  await Promise.race([sleep(moment), running.ended]);
  running.kill("SIGKILL");
  await running.ended;
}

test("gantry serve, killed a hundred times while four clients push, keeps all it acknowledged", async () => {
  const seed = 20_261_121;
  const random = dice(seed);
  const all: Pusher[] = [];
  let recent: readonly Pusher[] = [];
  let slowest = 0;
  for (let kill = 0; kill < kills; kill++) {
    const { registry, ms } = await restart();
    slowest = Math.max(slowest, ms);
    expect(await brokenOf(registry, recent), `seed ${seed}, after kill ${kill}`).toEqual([]);
    recent = Array.from({ length: pushers }, (_, i) => pusher(`killed/${kill}/${i}`, dice(random.below(2 ** 32))));
    all.push(...recent);
    const pushing = Promise.all(recent.map((client) => client.pushTo(registry.host)));
    await Promise.race([sleep(random.below(300)), pushing]);
    await registry.kill("SIGKILL");
    await pushing;
    if (random.below(8) === 0) await killedStart(random.below(150));
  }
  const { registry } = await restart();
  expect(await brokenOf(registry, all), `seed ${seed}, at the end`).toEqual([]);
  await registry.stop();
  expect(slowest).toBeLessThan(5000);
  const acknowledged = all.flatMap(({ ledger }) => [...ledger.manifests.values()]).filter(Boolean);
  expect(acknowledged.length).toBeGreaterThan(kills);
});

async function brokenOf({ host }: RunningRegistry, clients: readonly Pusher[]): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const client of clients) faults.push(...(await broken(host, client)));
  return faults;
}

test("an upload in pieces goes on after a kill from what the registry says it has, or begins again", async () => {
  const random = dice(7);
  const bytes = randomBytes("in pieces", 6_000_000);
  const digest = digestOf(bytes);
  let { registry } = await restart();
  const session = async (): Promise<URL> => {
    const { headers } = await fetch(`http://${registry.host}/v2/pieces/blobs/uploads/`, { method: "POST" });
    return new URL(headers.get("location") ?? "", `http://${registry.host}`);
  };
  let at = await session();
  for (let sent = 0, deaths = 0; sent < bytes.length;) {
    const end = Math.min(bytes.length, sent + 400_000);
    const headers = { "content-type": "application/octet-stream", "content-range": `${sent}-${end - 1}` };
    const patch = fetch(at, { method: "PATCH", headers, body: bytes.subarray(sent, end) }).catch(() => undefined);
    const dies = deaths < 8 && random.below(2) === 0;
    if (dies) {
      await sleep(random.below(6));
      await registry.kill("SIGKILL");
      ({ registry } = await restart());
      deaths += 1;
    }
    const answer = await patch;
    if (!dies) expect(answer?.status).toBe(202);
    const asked = new URL(answer?.headers.get("location") ?? at, at);
    const found = await fetch(new URL(asked.pathname + asked.search, `http://${registry.host}`));
    expect([204, 404]).toContain(found.status);
    at = found.status === 404 ? await session() : new URL(found.headers.get("location") ?? "", found.url);
    sent = found.status === 404 ? 0 : Number(/^0-(\d+)$/.exec(found.headers.get("range") ?? "")?.[1] ?? -1) + 1;
    if (found.status === 204) expect(sent).toBeLessThanOrEqual(end);
  }
  at.searchParams.set("digest", digest);
  expect((await fetch(at, { method: "PUT" })).status).toBe(201);
  const blob = await fetch(`http://${registry.host}/v2/pieces/blobs/${digest}`);
  expect(digestOf(new Uint8Array(await blob.arrayBuffer()))).toBe(digest);
  await registry.stop();
});

test("gantry copy rides out kills and restarts of the registry that it copies to", async () => {
  const layout = join(work, "layout");
  const image = await makeImage(layout, { tag: "v1", layers: 4, layerSize: 2_000_000 });
  const random = dice(11);
  let { registry } = await restart();
  const port = Number(registry.host.split(":")[1]);
  for (let round = 0; round < 4; round++) {
    const args = [
      "copy",
      "--limit-rate",
      "8MB",
      "--jobs",
      "2",
      `oci:${layout}:v1`,
      `${registry.host}/ridden/${round}:v1`,
    ];
    const copying = start(gantryPath, args);
    await sleep(200 + random.below(700));
    await registry.kill("SIGKILL");
    ({ registry } = await restart(port));
    const { code, stderr } = await copying.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await faultsOf(`${registry.host}/ridden/${round}`, image)).toEqual([]);
  }
  await registry.stop();
});
