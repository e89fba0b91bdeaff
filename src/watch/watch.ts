import { semaphore } from "../graph/semaphore.ts";
import type { Clock } from "../transport/clock.ts";
import { jobTable, type Entry, type Job, type JobStatus, type JobTable } from "./job-table.ts";

/** How a run of a job went; it was a success where nothing failed. */
export interface RunReport {
  readonly images: number;
  readonly bytes: number;
  /** The tags that were deleted, and the images without one. */
  readonly deleted: number;
  /** A code for each failure: `NETWORK`, `DENIED`. */
  readonly failures: readonly string[];
  /** What went wrong first, for people. */
  readonly message?: string;
  /** What the plan warned of: copies that a budget leaves for the next run. */
  readonly warnings?: readonly string[];
}

/** Two ways to stop a run: `soft` begins nothing new, `hard` leaves everything where it is. */
export interface Stops {
  readonly soft: AbortSignal;
  readonly hard: AbortSignal;
}

export type WatchEvent =
  | { readonly type: "loaded"; readonly jobs: number }
  | { readonly type: "not loaded"; readonly error: unknown }
  | { readonly type: "started"; readonly job: string }
  | {
      readonly type: "ended";
      readonly job: string;
      readonly report: RunReport;
      readonly ms: number;
      readonly next?: number;
    }
  | { readonly type: "clock"; readonly ms: number }
  | { readonly type: "draining"; readonly running: number }
  | { readonly type: "aborted"; readonly running: number };

export interface WatchOptions<J extends Job> {
  /** Reads the jobs, at the start and when they changed. Throws where they are wrong. */
  readonly load: () => Promise<readonly J[]>;
  /** Whether there is something new to load. */
  readonly changed: () => Promise<boolean>;
  readonly run: (job: J, stops: Stops) => Promise<RunReport>;
  readonly codeOf: (error: unknown) => string;
  readonly clock: Clock;
  /** Ends the watch: nothing new is begun. */
  readonly stop: AbortSignal;
  /** How long runs may go on then, in milliseconds. */
  readonly drain: number;
  /** How many jobs run at a time; 4. */
  readonly jobs?: number;
  readonly onEvent: (event: WatchEvent) => void;
}

/** What a watch is doing; times in milliseconds since 1970. */
export interface WatchStatus {
  readonly running: number;
  readonly queued: number;
  readonly draining: boolean;
  /** When the loop last looked around. */
  readonly beat: number;
  readonly jobs: readonly JobStatus[];
}

export interface Watch {
  readonly status: () => WatchStatus;
  /** Looks for a new file at once. */
  readonly reload: () => void;
  /** Settles when all is over; never throws. */
  readonly ended: Promise<void>;
}

/** How often is looked for a new file, and at the clock. */
const tick = 5000;
/** A clock that goes back by more than this was set: all times are worked out anew. */
const setBack = 60_000;

/**
 * Runs jobs by their timetables: each once at the start, or when it is new, and then when its time comes; one that comes
 * while the job still runs, or while the machine slept, is made up for by one run at most. No failure ends it. Throws what
 * `load` throws the first time.
 */
export async function startWatch<J extends Job>(options: WatchOptions<J>): Promise<Watch> {
  const { clock, stop, onEvent } = options;
  const table = jobTable<J>(() => clock.random());
  const runs = runsOf(table, options);
  let beat = clock.now();
  let wake = new AbortController();
  let force = false;

  const load = async (): Promise<void> => {
    const jobs = await options.load();
    table.take(jobs, clock.now());
    onEvent({ type: "loaded", jobs: jobs.length });
  };

  async function look(): Promise<void> {
    try {
      if (!(await options.changed()) && !force) return;
      force = false;
      await load();
    } catch (error) {
      onEvent({ type: "not loaded", error });
    }
  }

  async function loop(): Promise<void> {
    while (!stop.aborted) {
      const now = clock.now();
      if (now < beat - setBack) {
        onEvent({ type: "clock", ms: now - beat });
        table.restart(now);
      }
      beat = now;
      await look();
      if (stop.aborted) break;
      for (const entry of table.due(now)) runs.begin(entry);
      const pause = Math.max(1, Math.min(table.soonest() - now, tick));
      await clock.sleep(pause, AbortSignal.any([stop, wake.signal])).catch(() => {});
      if (wake.signal.aborted) wake = new AbortController();
    }
  }

  await load();
  return {
    status: () => ({ ...runs.counts(), draining: stop.aborted, beat, jobs: table.status() }),
    reload() {
      force = true;
      wake.abort();
    },
    ended: loop().then(() => runs.drain()),
  };
}

interface Runs<J extends Job> {
  begin(entry: Entry<J>): void;
  counts(): { readonly running: number; readonly queued: number };
  /** Lets all runs end, and aborts those that take too long. */
  drain(): Promise<void>;
}

function runsOf<J extends Job>(table: JobTable<J>, options: WatchOptions<J>): Runs<J> {
  const { clock, stop, onEvent } = options;
  const room = semaphore(options.jobs ?? 4);
  const hard = new AbortController();
  const all = new Set<Promise<void>>();
  let [running, queued] = [0, 0];

  async function report(job: J): Promise<RunReport> {
    try {
      return await options.run(job, { soft: stop, hard: hard.signal });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { images: 0, bytes: 0, deleted: 0, failures: stop.aborted ? [] : [options.codeOf(error)], message };
    }
  }

  async function run(entry: Entry<J>): Promise<void> {
    if (stop.aborted) return;
    if (entry.isGone) return table.end(entry, clock.now(), false);
    const { job } = entry;
    const began = clock.now();
    running++;
    onEvent({ type: "started", job: job.name });
    const told = await report(job);
    running--;
    const now = clock.now();
    table.end(entry, now, told.failures.length === 0 && !stop.aborted);
    const next = entry.next === undefined ? {} : { next: entry.next };
    onEvent({ type: "ended", job: job.name, report: told, ms: Math.max(0, now - began), ...next });
  }

  return {
    counts: () => ({ running, queued }),
    begin(entry) {
      entry.busy = true;
      queued++;
      const work = room(() => {
        queued--;
        return run(entry);
      }).finally(() => all.delete(work));
      all.add(work);
    },
    async drain() {
      if (all.size === 0) return;
      onEvent({ type: "draining", running });
      const over = new AbortController();
      const settled = Promise.allSettled(all);
      const late = clock.sleep(options.drain, over.signal).then(
        () => true,
        () => false,
      );
      if (await Promise.race([settled.then(() => false), late])) {
        onEvent({ type: "aborted", running });
        hard.abort();
      }
      over.abort();
      await settled;
    },
  };
}
