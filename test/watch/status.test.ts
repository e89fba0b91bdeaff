import { expect, onTestFinished, test } from "vitest";
import { watchMetrics } from "../../src/watch/metrics.ts";
import { serveStatus } from "../../src/watch/status-server.ts";
import { samplesOf } from "./samples.ts";
import type { WatchStatus } from "../../src/watch/watch.ts";

const status: WatchStatus = {
  running: 1,
  queued: 2,
  draining: false,
  beat: 0,
  jobs: [{ name: 'a "quoted" name', lastSuccess: 60_000, next: 120_000 }, { name: "new" }],
};

test("metrics tell what happened, in Prometheus' form", async () => {
  const metrics = await watchMetrics({
    status: () => status,
    now: () => 90_000,
    quotas: () => new Map([["hub.example", 71]]),
  });
  metrics.on({ type: "loaded", jobs: 2 });
  metrics.on({ type: "not loaded", error: new Error("x") });
  metrics.on({
    type: "ended",
    job: "new",
    ms: 2000,
    report: { images: 3, bytes: 1000, deleted: 2, failures: ["NETWORK", "NETWORK", "DENIED"] },
  });
  metrics.on({ type: "ended", job: "new", ms: 100, report: { images: 0, bytes: 0, deleted: 0, failures: [] } });
  const samples = samplesOf(await metrics.text());
  const wanted = {
    'gantry_sync_runs_total{mapping="new",outcome="failure"}': 1,
    'gantry_sync_runs_total{mapping="new",outcome="success"}': 1,
    'gantry_sync_images_total{mapping="new"}': 3,
    'gantry_sync_bytes_total{mapping="new"}': 1000,
    'gantry_sync_deleted_total{mapping="new"}': 2,
    'gantry_sync_failures_total{mapping="new",code="NETWORK"}': 2,
    'gantry_sync_failures_total{mapping="new",code="DENIED"}': 1,
    'gantry_sync_reloads_total{outcome="failed"}': 1,
    'gantry_sync_duration_seconds_sum{mapping="new"}': 2.1,
    'gantry_sync_last_success_timestamp_seconds{mapping="a \\"quoted\\" name"}': 60,
    'gantry_sync_last_success_age_seconds{mapping="a \\"quoted\\" name"}': 30,
    'gantry_sync_next_run_timestamp_seconds{mapping="a \\"quoted\\" name"}': 120,
    gantry_sync_running: 1,
    gantry_sync_queued: 2,
    'gantry_registry_quota_remaining{registry="hub.example"}': 71,
  };
  expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, samples.get(name)]))).toEqual(wanted);
  expect(samples.get('gantry_sync_last_success_age_seconds{mapping="new"}')).toBeUndefined();
  expect(samples.get("process_start_time_seconds")).toBeGreaterThan(0);
});

test("health, readiness and metrics are served, and nothing else", async () => {
  let fine = true;
  const metrics = { contentType: "text/plain; version=0.0.4; charset=utf-8", text: async () => "up 1\n" };
  const server = await serveStatus({ host: "127.0.0.1", port: 0 }, { healthy: () => fine, ready: () => fine, metrics });
  onTestFinished(() => server.close());
  const ask = async (path: string, method = "GET"): Promise<readonly unknown[]> => {
    const answer = await fetch(`${server.url}${path}`, { method });
    return [answer.status, await answer.text(), answer.headers.get("content-type")];
  };
  const plain = "text/plain; charset=utf-8";
  expect(await ask("/healthz")).toEqual([200, "ok\n", plain]);
  expect(await ask("/readyz?x=1")).toEqual([200, "ready\n", plain]);
  expect(await ask("/metrics")).toEqual([200, "up 1\n", metrics.contentType]);
  expect(await ask("/metrics", "HEAD")).toEqual([200, "", metrics.contentType]);
  expect((await ask("/")).slice(0, 1)).toEqual([404]);
  expect((await ask("/healthz", "POST")).slice(0, 1)).toEqual([405]);
  fine = false;
  expect([(await ask("/healthz"))[0], (await ask("/readyz"))[0]]).toEqual([503, 503]);
  const port = Number(new URL(server.url).port);
  await expect(
    serveStatus({ host: "127.0.0.1", port }, { healthy: () => true, ready: () => true, metrics }),
  ).rejects.toMatchObject({
    code: "CONFLICT",
    message: `cannot listen on 127.0.0.1:${port}: another program listens there already`,
    hint: "choose another port, or 0 for a free one",
  });
});
