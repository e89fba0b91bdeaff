import { Cron } from "croner";

/** When something is done again and again. */
export interface Timetable {
  /** Five fields of cron. */
  readonly schedule: string;
  /** UTC unless told. */
  readonly timezone?: string;
  /** At random up to so many milliseconds later. */
  readonly jitter?: number;
}

/** The first time after `after`, in milliseconds since 1970; undefined for a schedule that never comes (30 February). `random` is from 0 up to 1. */
export function nextTime(
  { schedule, timezone = "UTC", jitter = 0 }: Timetable,
  after: number,
  random: number,
): number | undefined {
  const next = new Cron(schedule, { timezone, mode: "5-part" }).nextRun(new Date(after));
  return next ? next.getTime() + Math.floor(random * jitter) : undefined;
}
