import { hash } from "node:crypto";
import type { Client } from "./client.ts";
import { isRegistryError, RegistryError } from "./oci/error.ts";
import { apiHost } from "./oci/reference.ts";
import { applyPlan, countDeletions, type Applied, type ApplyOptions } from "./plan/apply.ts";
import type { Plan } from "./plan/plan.ts";
import { handsOf } from "./plans.ts";
import type { SyncRule } from "./policy/sync/parse.ts";
import type { PlanSyncOptions } from "./sync/plan-sync.ts";
import { systemClock, type Clock } from "./transport/clock.ts";
import { watchMetrics } from "./watch/metrics.ts";
import type { Job } from "./watch/job-table.ts";
import { serveStatus } from "./watch/status-server.ts";
import {
  startWatch,
  type RunReport,
  type Stops,
  type Watch,
  type WatchEvent,
  type WatchStatus,
} from "./watch/watch.ts";

export interface WatchSyncOptions {
  /** Reads the rules. Throws where they are wrong. */
  readonly load: () => Promise<readonly SyncRule[]>;
  /** The names of the rules that are run; all, unless told. */
  readonly only?: readonly string[];
  /** Whether there is something new to load. */
  readonly changed: () => Promise<boolean>;
  /** Ends the watch. */
  readonly stop: AbortSignal;
  /** How long images that are being copied may take then, in milliseconds. */
  readonly drain: number;
  /** Where health and metrics are served, if anywhere. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Opens the sources, where they need other credentials. */
  readonly source?: Client;
  readonly planning?: Omit<PlanSyncOptions, "signal" | "source" | "now" | "only">;
  /** Applies each plan, by `apply`: says with which options, and where it is written down. */
  readonly applying?: (
    plan: Plan,
    apply: (options?: Omit<ApplyOptions, "signal">) => Promise<Applied>,
  ) => Promise<Applied>;
  readonly clock?: Clock;
  readonly onEvent: (event: WatchEvent | { readonly type: "listening"; readonly url: string }) => void;
}

/** A watch, under way. */
export interface WatchingSync {
  /** Looks for a new file at once. */
  readonly reload: () => void;
  /** Settles when the last run is over. */
  readonly ended: Promise<void>;
}

type RuleJob = Job & { readonly rule: SyncRule };

/** The loop has stood still when it has not looked around for so long. */
const stillAfter = 60_000;

/** Keeps all that rules say in sync, each by its schedule, until it is stopped. Throws INVALID for rules without a schedule. */
export async function watchSync(client: Client, options: WatchSyncOptions): Promise<WatchingSync> {
  const { clock = systemClock, listen, onEvent, stop } = options;
  const hosts = new Set<string>();
  let rules: readonly SyncRule[] = [];
  let watch: Watch | undefined;
  const metrics = await watchMetrics({
    status: () => watch?.status() ?? idle,
    now: () => clock.now(),
    quotas: () =>
      new Map(
        [...hosts].flatMap((host) => {
          const quota = client.quota(apiHost(host)) ?? options.source?.quota(apiHost(host));
          return quota ? [[host, quota.remaining] as const] : [];
        }),
      ),
  });
  const server =
    listen &&
    (await serveStatus(listen, {
      healthy: () => watch === undefined || watch.status().draining || clock.now() - watch.status().beat < stillAfter,
      ready: () => watch !== undefined && !watch.status().draining,
      metrics,
    }));
  if (server) onEvent({ type: "listening", url: server.url });
  try {
    watch = await startWatch<RuleJob>({
      clock,
      stop,
      drain: options.drain,
      changed: options.changed,
      codeOf: (error) => (isRegistryError(error) ? error.code : "INTERNAL"),
      async load() {
        const loaded = await options.load();
        const { only } = options;
        const jobs = loaded.filter(({ name }) => only?.includes(name) ?? true).map(jobOf);
        rules = loaded;
        hosts.clear();
        for (const rule of rules) for (const host of sourcesOf(rule)) hosts.add(host);
        return jobs;
      },
      run: ({ rule }, stops) => runRule(client, rule, rules, stops, options),
      onEvent(event) {
        metrics.on(event);
        onEvent(event);
      },
    });
  } catch (error) {
    await server?.close();
    throw error;
  }
  const { ended } = watch;
  return { reload: watch.reload, ended: ended.then(() => server?.close()) };
}

const idle: WatchStatus = { running: 0, queued: 0, draining: false, beat: 0, jobs: [] };

function jobOf(rule: SyncRule): RuleJob {
  const { name, schedule, timezone, jitter } = rule;
  if (schedule === undefined) {
    throw new RegistryError("INVALID", `${name} has no schedule`, {
      hint: "say `schedule`, there or under `defaults`: five fields of cron, such as 0 * * * *",
    });
  }
  return { name, rule, schedule, ...(timezone !== undefined && { timezone }), ...(jitter !== undefined && { jitter }) };
}

const sourcesOf = ({ from }: SyncRule): readonly string[] =>
  from.flatMap((one) => (one.kind === "pattern" ? one.registry : (one.origin.registry ?? [])));

/** Plans and does what a rule says. */
async function runRule(
  client: Client,
  { name }: SyncRule,
  rules: readonly SyncRule[],
  stops: Stops,
  options: WatchSyncOptions,
): Promise<RunReport> {
  const { source, planning = {}, applying = (_, apply) => apply() } = options;
  const { soft, hard } = stops;
  const { cache, ...more } = planning;
  // Several mappings may run at a time, and each writes what it found when it ends.
  const own = cache && {
    ...cache,
    file: `${cache.file.replace(/\.json$/, "")}-${hash("sha256", name, "hex").slice(0, 16)}.json`,
  };
  const planned = await client.planSync(rules, {
    ...more,
    only: [name],
    atOnce: true,
    signal: soft,
    ...(own && { cache: own }),
    ...(source && { source }),
  });
  const hands = handsOf(client, { plan: planned.plan, until: soft, ...(source && { source }) });
  try {
    const applied = await applying(planned.plan, (more) => applyPlan(planned.plan, hands, { ...more, signal: hard }));
    await planned.remember(applied);
    return reportOf(planned.plan, applied, soft.aborted);
  } finally {
    await hands.close();
  }
}

/** What was left because the watch ends is no failure. */
function reportOf(plan: Plan, { endings }: Applied, stopped: boolean): RunReport {
  const failed = [...endings.values()].filter(({ outcome }) => outcome !== "done" && outcome !== "already");
  const real = failed.filter(({ error }) => !stopped || !isRegistryError(error, "PARTIAL"));
  const refused = plan.notes.filter(({ level }) => level === "refused");
  const done = plan.steps.filter(({ id }) => endings.get(id)?.outcome === "done");
  const copied = done.filter(({ do: what }) => what === "copy");
  const codeOf = (error: unknown, outcome: string): string =>
    isRegistryError(error) ? error.code : outcome.toUpperCase();
  const warnings = plan.notes.filter(({ level }) => level === "warning").map((note) => note.message);
  const message = real[0]?.why ?? refused[0]?.message;
  return {
    images: copied.length,
    bytes: copied.reduce((sum, { id }) => sum + (endings.get(id)?.bytes ?? 0), 0),
    deleted: countDeletions(done),
    failures: [...real.map(({ error, outcome }) => codeOf(error, outcome)), ...refused.map(() => "REFUSED")],
    ...(message !== undefined && { message }),
    ...(warnings.length > 0 && { warnings }),
  };
}
