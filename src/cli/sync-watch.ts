import { stat } from "node:fs/promises";
import { doing } from "../files/file-error.ts";
import { watchSync, type PlanSyncOptions, type WatchSyncOptions } from "../index.ts";
import { isDeletion } from "../plan/index.ts";
import { syncPlaces, type SyncRule } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import { applySettings, journaled } from "./plans.ts";
import { count, formatSize, formatSpan, plain } from "./render/text.ts";
import { drain, listen, usualDrain } from "./table/watch-options.ts";

/** Keeps a file's mappings in sync until the process is told to end. */
export async function watchFile(
  file: string,
  read: () => Promise<readonly SyncRule[]>,
  planning: PlanSyncOptions,
  cli: Cli,
): Promise<void> {
  const { get, signal, reporter } = cli;
  const client = await cli.client(syncPlaces(await read()));
  const address = get(listen);
  let last = "";
  const version = async (): Promise<string> => {
    const { ino, size, mtimeMs } = await doing(`read ${file}`, () => stat(file));
    return `${ino} ${size} ${mtimeMs}`;
  };
  const watch = await watchSync(client, {
    stop: signal,
    drain: get(drain) ?? usualDrain,
    planning,
    ...(planning.only && { only: planning.only }),
    async applying(plan, apply) {
      const settings = await applySettings(plan, cli);
      // Copies are no loss: without deletions, a run that goes on for ever writes no journals.
      if (!plan.steps.some(isDeletion)) return apply(settings);
      return journaled(plan, cli, (journaling) => apply({ ...settings, ...journaling }));
    },
    ...(address && { listen: address }),
    changed: async () => (await version()) !== last,
    async load() {
      last = await version();
      return read();
    },
    onEvent: (event) => {
      const line = lineOf(event, file);
      if (line !== undefined) reporter.say(`${new Date().toISOString()} ${plain(line)}`);
    },
  });
  const reload = (): void => watch.reload();
  process.on("SIGHUP", reload);
  try {
    await watch.ended;
  } finally {
    process.off("SIGHUP", reload);
  }
}

function lineOf(event: Parameters<WatchSyncOptions["onEvent"]>[0], file: string): string | undefined {
  switch (event.type) {
    case "listening":
      return `listening on ${event.url}`;
    case "loaded":
      return `${file}: ${count(event.jobs, "mapping")}`;
    case "not loaded":
      return `warning: ${file} is not taken, and all stays as it was: ${event.error instanceof Error ? event.error.message : String(event.error)}`;
    case "clock":
      return "the clock was set back: all times are worked out anew";
    case "draining":
      return `stopping: ${count(event.running, "run")} under way`;
    case "aborted":
      return `stopping: ${count(event.running, "run")} took too long`;
    case "started":
      return undefined;
    default: {
      const { job, ms, next, report } = event;
      const { images, bytes, deleted, failures, message, warnings = [] } = report;
      const wrong = failures.length === 0 ? "" : `, ${count(failures.length, "failure")}: ${message ?? failures[0]}`;
      const warned = warnings.map((warning) => `; warning: ${warning}`).join("");
      const gone = deleted === 0 ? "" : `, ${deleted} deleted`;
      const then = next === undefined ? "" : `; next ${new Date(next).toISOString()}`;
      return `${job}: ${count(images, "image")}, ${formatSize(bytes)}${gone} in ${formatSpan(ms)}${wrong}${warned}${then}`;
    }
  }
}
