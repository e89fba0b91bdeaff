import { nextTime, type Timetable } from "./schedule.ts";

/** Something that is done by a timetable. */
export interface Job extends Timetable {
  /** Unique; what it is known by when the file is read again. */
  readonly name: string;
}

/** How a job stands; times in milliseconds since 1970. */
export interface JobStatus {
  readonly name: string;
  readonly lastSuccess?: number;
  readonly next?: number;
}

/** A job and when its time comes; `busy` from the moment it is due until its run has ended. */
export interface Entry<J extends Job> {
  job: J;
  next: number | undefined;
  lastSuccess?: number;
  busy: boolean;
  /** It is not in the list any more, and its run has not ended: should it come back, it waits for that. */
  isGone?: boolean;
}

export interface JobTable<J extends Job> {
  /** Takes a list in place of the one before: new jobs are due at once, what stays keeps its time unless its timetable is another. */
  take(jobs: readonly J[], now: number): void;
  /** The jobs whose time has come. */
  due(now: number): readonly Entry<J>[];
  /** The next time at which one is due; Infinity where none ever is. */
  soonest(): number;
  /** Works out all times anew. */
  restart(now: number): void;
  /** Ends a run: what was missed meanwhile is left out. */
  end(entry: Entry<J>, now: number, success: boolean): void;
  status(): readonly JobStatus[];
}

/** Keeps jobs and their times; `random` is from 0 up to 1, for jitter. */
export function jobTable<J extends Job>(random: () => number): JobTable<J> {
  const entries = new Map<string, Entry<J>>();
  const timeAfter = (job: J, now: number): number | undefined => nextTime(job, now, random());
  const idle = (): readonly Entry<J>[] => [...entries.values()].filter(({ busy }) => !busy);
  return {
    take(jobs, now) {
      const names = new Set(jobs.map(({ name }) => name));
      for (const [name, entry] of entries) {
        entry.isGone = !names.has(name);
        if (entry.isGone && !entry.busy) entries.delete(name);
      }
      for (const job of jobs) {
        const known = entries.get(job.name);
        if (!known) {
          entries.set(job.name, { job, next: now + Math.floor(random() * (job.jitter ?? 0)), busy: false });
        } else {
          if (!isSameTimetable(known.job, job)) known.next = timeAfter(job, now);
          known.job = job;
        }
      }
    },
    due: (now) => idle().filter(({ next }) => next !== undefined && next <= now),
    soonest: () => Math.min(Infinity, ...idle().map(({ next }) => next ?? Infinity)),
    restart(now) {
      for (const entry of entries.values()) entry.next = timeAfter(entry.job, now);
    },
    end(entry, now, success) {
      if (success) entry.lastSuccess = now;
      entry.next = timeAfter(entry.job, now);
      entry.busy = false;
      if (entry.isGone) entries.delete(entry.job.name);
    },
    status: () =>
      [...entries.values()]
        .filter(({ isGone }) => !isGone)
        .map(({ job: { name }, lastSuccess, next }) => ({
          name,
          ...(lastSuccess !== undefined && { lastSuccess }),
          ...(next !== undefined && { next }),
        })),
  };
}

const isSameTimetable = (a: Timetable, b: Timetable): boolean =>
  a.schedule === b.schedule && a.timezone === b.timezone && a.jitter === b.jitter;
