import { semaphore } from "../graph/semaphore.ts";
import type { Clock } from "../transport/clock.ts";
import { nextTime, type Timetable } from "./schedule.ts";

/** Something that is done by a timetable. */
export interface Job extends Timetable {
  /** Unique; what it is known by when the file is read again. */
  readonly name: string;
}

/** How a run of a job went; it was a success where nothing failed. */
export interface RunReport {
  readonly images: number;
  readonly bytes: number;
  /** A code for each failure: `NETWORK`, `DENIED`. */
  readonly failures: readonly string[];
  /** What went wrong first, for people. */
  readonly message?: string;
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

export interface JobStatus {
  readonly name: string;
  readonly lastSuccess?: number;
  readonly next?: number;
}

export interface Watch {
  readonly status: () => WatchStatus;
  /** Looks for a new file at once. */
  readonly reload: () => void;
  /** Settles when all is over; never throws. */
  readonly ended: Promise<void>;
}

interface Entry<J extends Job> {
  job: J;
  next: number | undefined;
  lastSuccess?: number;
  busy: boolean;
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
  const entries = new Map<string, Entry<J>>();
  const room = semaphore(options.jobs ?? 4);
  const hard = new AbortController();
  const runs = new Set<Promise<void>>();
  const counts = { running: 0, queued: 0 };
  let beat = clock.now();
  let wake = new AbortController();
  let force = false;

  const timeAfter = (job: J, now: number): number | undefined => nextTime(job, now, clock.random());

  function take(jobs: readonly J[]): void {
    const names = new Set(jobs.map(({ name }) => name));
    for (const name of entries.keys()) if (!names.has(name)) entries.delete(name);
    const now = clock.now();
    for (const job of jobs) {
      const known = entries.get(job.name);
      if (!known)
        entries.set(job.name, { job, next: now + Math.floor(clock.random() * (job.jitter ?? 0)), busy: false });
      else {
        const { schedule, timezone, jitter } = known.job;
        if (schedule !== job.schedule || timezone !== job.timezone || jitter !== job.jitter)
          known.next = timeAfter(job, now);
        known.job = job;
      }
    }
    onEvent({ type: "loaded", jobs: jobs.length });
  }

  async function look(): Promise<void> {
    try {
      if (!(await options.changed()) && !force) return;
      force = false;
      take(await options.load());
    } catch (error) {
      onEvent({ type: "not loaded", error });
    }
  }

  async function runOne(entry: Entry<J>): Promise<void> {
    counts.queued++;
    await room(async () => {
      counts.queued--;
      if (stop.aborted) return;
      const { job } = entry;
      const began = clock.now();
      counts.running++;
      onEvent({ type: "started", job: job.name });
      let report: RunReport;
      try {
        report = await options.run(job, { soft: stop, hard: hard.signal });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        report = { images: 0, bytes: 0, failures: [options.codeOf(error)], message };
      }
      counts.running--;
      const now = clock.now();
      if (report.failures.length === 0 && !stop.aborted) entry.lastSuccess = now;
      entry.next = timeAfter(entry.job, now);
      const next = entry.next === undefined ? {} : { next: entry.next };
      onEvent({ type: "ended", job: job.name, report, ms: Math.max(0, now - began), ...next });
    });
    entry.busy = false;
  }

  function begin(entry: Entry<J>): void {
    entry.busy = true;
    const run = runOne(entry).finally(() => runs.delete(run));
    runs.add(run);
  }

  async function loop(): Promise<void> {
    while (!stop.aborted) {
      const now = clock.now();
      if (now < beat - setBack) {
        onEvent({ type: "clock", ms: now - beat });
        for (const entry of entries.values()) entry.next = timeAfter(entry.job, now);
      }
      beat = now;
      await look();
      const idle = [...entries.values()].filter(({ busy }) => !busy);
      for (const entry of idle) if (entry.next !== undefined && entry.next <= now && !stop.aborted) begin(entry);
      const soonest = Math.min(...idle.map(({ busy, next }) => (busy ? Infinity : (next ?? Infinity))), now + tick);
      await clock.sleep(Math.max(1, soonest - now), AbortSignal.any([stop, wake.signal])).catch(() => {});
      wake = wake.signal.aborted ? new AbortController() : wake;
    }
  }

  async function drain(): Promise<void> {
    if (runs.size === 0) return;
    onEvent({ type: "draining", running: counts.running });
    const over = new AbortController();
    const all = Promise.allSettled(runs);
    const late = clock.sleep(options.drain, over.signal).then(
      () => true,
      () => false,
    );
    if (await Promise.race([all.then(() => false), late])) {
      onEvent({ type: "aborted", running: counts.running });
      hard.abort();
    }
    over.abort();
    await all;
  }

  take(await options.load());
  return {
    status: () => ({
      ...counts,
      draining: stop.aborted,
      beat,
      jobs: [...entries.values()].map(({ job: { name }, lastSuccess, next }) => ({
        name,
        ...(lastSuccess !== undefined && { lastSuccess }),
        ...(next !== undefined && { next }),
      })),
    }),
    reload() {
      force = true;
      wake.abort();
    },
    ended: loop().then(drain),
  };
}
