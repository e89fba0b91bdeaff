import type { Registry } from "prom-client";
import type { WatchEvent, WatchStatus } from "./watch.ts";

export interface Metrics {
  readonly contentType: string;
  on(event: WatchEvent): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  readonly status: () => WatchStatus;
  readonly now: () => number;
  /** What registries told last of how many pulls are left. */
  readonly quotas: () => ReadonlyMap<string, number>;
}

/** Counts what a watch does; the library for it is loaded here. */
export async function watchMetrics(options: MetricsOptions): Promise<Metrics> {
  const { Counter, Histogram, Registry: Register, collectDefaultMetrics } = await import("prom-client");
  const register = new Register();
  collectDefaultMetrics({ register });
  const registers = [register];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const runs = counter("gantry_sync_runs_total", "Runs that ended.", ["mapping", "outcome"]);
  const images = counter("gantry_sync_images_total", "Images that were copied.", ["mapping"]);
  const bytes = counter("gantry_sync_bytes_total", "Bytes of blobs that were sent.", ["mapping"]);
  const deleted = counter("gantry_sync_deleted_total", "Tags, and images without one, that were deleted.", ["mapping"]);
  const failures = counter("gantry_sync_failures_total", "What failed, by its code.", ["mapping", "code"]);
  const reloads = counter("gantry_sync_reloads_total", "How often the file was read.", ["outcome"]);
  const duration = new Histogram({
    name: "gantry_sync_duration_seconds",
    help: "How long runs took.",
    labelNames: ["mapping"],
    buckets: [0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
    registers,
  });
  await addGauges(register, options);
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    on(event) {
      if (event.type === "loaded") reloads.inc({ outcome: "done" });
      if (event.type === "not loaded") reloads.inc({ outcome: "failed" });
      if (event.type !== "ended") return;
      const { job: mapping, report, ms } = event;
      runs.inc({ mapping, outcome: report.failures.length === 0 ? "success" : "failure" });
      images.inc({ mapping }, report.images);
      bytes.inc({ mapping }, report.bytes);
      deleted.inc({ mapping }, report.deleted);
      for (const code of report.failures) failures.inc({ mapping, code });
      duration.observe({ mapping }, ms / 1000);
    },
  };
}

/** What is read off when somebody asks: mappings that are not in the file any more are gone. */
async function addGauges(register: Registry, { status, now, quotas }: MetricsOptions): Promise<void> {
  const { Gauge } = await import("prom-client");
  const gauge = (
    name: string,
    help: string,
    label: string | undefined,
    values: () => Iterable<readonly [string, number]>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [register],
      collect() {
        this.reset();
        for (const [key, value] of values()) this.set(label === undefined ? {} : { [label]: key }, value);
      },
    });
  const each = (value: (job: ReturnType<typeof status>["jobs"][number]) => number | undefined) => () =>
    status().jobs.flatMap((job): [string, number][] => {
      const found = value(job);
      return found === undefined ? [] : [[job.name, found]];
    });
  const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
  gauge(
    "gantry_sync_last_success_timestamp_seconds",
    "When a run last ended without a failure.",
    "mapping",
    each(({ lastSuccess }) => seconds(lastSuccess)),
  );
  gauge(
    "gantry_sync_last_success_age_seconds",
    "How long that is ago.",
    "mapping",
    each(({ lastSuccess }) => (lastSuccess === undefined ? undefined : Math.max(0, (now() - lastSuccess) / 1000))),
  );
  gauge(
    "gantry_sync_next_run_timestamp_seconds",
    "When the next run is due.",
    "mapping",
    each(({ next }) => seconds(next)),
  );
  gauge("gantry_sync_running", "Runs under way.", undefined, () => [["", status().running]]);
  gauge("gantry_sync_queued", "Runs that wait for others.", undefined, () => [["", status().queued]]);
  gauge("gantry_registry_quota_remaining", "Pulls that a registry still allows.", "registry", quotas);
}
