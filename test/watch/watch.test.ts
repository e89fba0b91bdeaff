import { expect, test } from "vitest";
import { nextTime } from "../../src/watch/schedule.ts";
import type { Job } from "../../src/watch/job-table.ts";
import { startWatch, type RunReport, type Stops, type Watch, type WatchEvent } from "../../src/watch/watch.ts";
import { manualClock, type ManualClock } from "./manual-clock.ts";

const noon = Date.parse("2026-11-29T12:00:00Z");
const minute = 60_000;
const fine: RunReport = { images: 1, bytes: 10, deleted: 0, failures: [] };
const at = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

interface Scene {
  readonly clock: ManualClock;
  readonly watch: Watch;
  readonly events: WatchEvent[];
  /** `12:05:00 app`, for each run that began. */
  readonly began: string[];
  readonly stop: AbortController;
  /** Puts another file in place; `undefined` is one that cannot be read. */
  readonly put: (jobs: readonly Job[] | undefined) => void;
}

async function scene(
  jobs: readonly Job[],
  run: (job: Job, stops: Stops, clock: ManualClock) => Promise<RunReport> = async () => fine,
  { random = 0, atOnce = 4 } = {},
): Promise<Scene> {
  const clock = manualClock(noon, random);
  const events: WatchEvent[] = [];
  const began: string[] = [];
  const stop = new AbortController();
  let file: readonly Job[] | undefined = jobs;
  let fresh = false;
  const watch = await startWatch({
    clock,
    stop: stop.signal,
    drain: 25_000,
    jobs: atOnce,
    codeOf: () => "BROKEN",
    changed: async () => fresh,
    async load() {
      fresh = false;
      if (!file) throw new Error("no file");
      return file;
    },
    run(job, stops) {
      began.push(`${at(clock.now())} ${job.name}`);
      return run(job, stops, clock);
    },
    onEvent: (event) => events.push(event),
  });
  return {
    clock,
    watch,
    events,
    began,
    stop,
    put(next) {
      file = next;
      fresh = true;
    },
  };
}

const app: Job = { name: "app", schedule: "*/5 * * * *" };

test.each([
  [{ schedule: "0 3 * * *" }, "2026-11-30T03:00:00.000Z"],
  [{ schedule: "0 3 * * *", timezone: "Europe/Berlin" }, "2026-11-30T02:00:00.000Z"],
  [{ schedule: "*/15 * * * *", jitter: minute }, "2026-11-29T12:15:30.000Z"],
  [{ schedule: "0 0 30 2 *" }, undefined],
  // The night in which clocks go forward has no 2:30: it comes as they do.
  [{ schedule: "30 2 28 3 *", timezone: "Europe/Berlin" }, "2027-03-28T01:00:00.000Z"],
])("the next time of %j is %s", (timetable, wanted) => {
  const next = nextTime(timetable, noon, 0.5);
  expect(next && new Date(next).toISOString()).toBe(wanted);
});

test("each job runs at the start, and when its time comes", async () => {
  const { clock, began, watch, stop } = await scene([app, { name: "hourly", schedule: "0 * * * *" }]);
  await clock.pass(11 * minute);
  expect(began).toEqual(["12:00:00 app", "12:00:00 hourly", "12:05:00 app", "12:10:00 app"]);
  expect(watch.status().jobs).toEqual([
    { name: "app", lastSuccess: noon + 10 * minute, next: noon + 15 * minute },
    { name: "hourly", lastSuccess: noon, next: noon + 60 * minute },
  ]);
  stop.abort();
  await watch.ended;
});

test("jitter moves each run", async () => {
  const { clock, began } = await scene([{ ...app, jitter: 2 * minute }], undefined, { random: 0.5 });
  await clock.pass(12 * minute);
  expect(began).toEqual(["12:01:00 app", "12:06:00 app", "12:11:00 app"]);
});

test("a job never runs twice at a time, and what it missed meanwhile is made up for by its next time", async () => {
  const slow = async (_: Job, __: Stops, clock: ManualClock): Promise<RunReport> => {
    await clock.sleep(12 * minute);
    return fine;
  };
  const { clock, began } = await scene([app], slow);
  await clock.pass(30 * minute);
  expect(began).toEqual(["12:00:00 app", "12:15:00 app", "12:30:00 app"]);
});

test("a job that leaves the file while it runs, and comes back, does not run twice at a time either", async () => {
  const slow = async (_: Job, __: Stops, clock: ManualClock): Promise<RunReport> => {
    await clock.sleep(2 * minute);
    return fine;
  };
  const { clock, began, watch, put } = await scene([app], slow);
  await clock.pass(1000);
  put([]);
  await clock.pass(10_000);
  expect(watch.status()).toMatchObject({ running: 1, jobs: [] });
  put([app]);
  await clock.pass(4 * minute);
  expect(began).toEqual(["12:00:00 app"]);
  await clock.pass(minute);
  expect(began).toEqual(["12:00:00 app", "12:05:00 app"]);
  put([]);
  await clock.pass(20 * minute);
  expect([began.length, watch.status().jobs]).toEqual([2, []]);
});

test("a job that leaves the file while it waits for others is not run", async () => {
  const slow = async (_: Job, __: Stops, clock: ManualClock): Promise<RunReport> => {
    await clock.sleep(minute);
    return fine;
  };
  const [a, b] = ["a", "b"].map((name) => ({ name, schedule: "0 0 * * *" }));
  const { clock, began, put } = await scene([a!, b!], slow, { atOnce: 1 });
  await clock.pass(1000);
  put([a!]);
  await clock.pass(5 * minute);
  expect(began).toEqual(["12:00:00 a"]);
});

test("no more run at a time than may, and the others wait", async () => {
  const slow = async (_: Job, __: Stops, clock: ManualClock): Promise<RunReport> => {
    await clock.sleep(minute);
    return fine;
  };
  const jobs = ["a", "b", "c"].map((name) => ({ name, schedule: "0 0 * * *" }));
  const { clock, began, watch } = await scene(jobs, slow, { atOnce: 2 });
  await clock.pass(1000);
  expect(watch.status()).toMatchObject({ running: 2, queued: 1 });
  await clock.pass(2 * minute);
  expect(began).toEqual(["12:00:00 a", "12:00:00 b", "12:01:00 c"]);
  expect(watch.status()).toMatchObject({ running: 0, queued: 0 });
});

test("a failure ends nothing, and is no success", async () => {
  let runs = 0;
  const { clock, watch, events } = await scene([app], async () => {
    runs++;
    if (runs === 1) throw new Error("broken");
    return runs === 2 ? { ...fine, failures: ["NETWORK"] } : fine;
  });
  await clock.pass(6 * minute);
  expect(watch.status().jobs[0]!.lastSuccess).toBeUndefined();
  await clock.pass(5 * minute);
  expect(watch.status().jobs[0]!.lastSuccess).toBe(noon + 10 * minute);
  const ended = events.filter(({ type }) => type === "ended");
  expect(ended).toMatchObject([
    { report: { failures: ["BROKEN"], message: "broken" }, next: noon + 5 * minute },
    { report: { failures: ["NETWORK"] } },
    { report: fine },
  ]);
});

test("a new file is taken within seconds; one that is broken leaves all as it was", async () => {
  const { clock, began, put, events, watch } = await scene([app]);
  await clock.pass(minute);
  put(undefined);
  await clock.pass(5000);
  expect(events.at(-1)).toMatchObject({ type: "not loaded", error: new Error("no file") });
  await clock.pass(5 * minute);
  expect(began).toEqual(["12:00:00 app", "12:05:00 app"]);
  put([
    { ...app, schedule: "*/2 * * * *" },
    { name: "new", schedule: "0 0 * * *" },
  ]);
  await clock.pass(minute);
  expect(began.at(-1)).toBe("12:06:10 new");
  expect(watch.status().jobs.map(({ next }) => at(next!))).toEqual(["12:08:00", "00:00:00"]);
  put([{ name: "new", schedule: "0 0 * * *" }]);
  await clock.pass(5 * minute);
  expect(began.filter((line) => line.includes("app"))).toEqual(["12:00:00 app", "12:05:00 app"]);
});

test("to be told to reload does not wait for the next look", async () => {
  const { clock, events, watch } = await scene([app]);
  await clock.pass(1000);
  watch.reload();
  await clock.pass(1);
  expect(events.filter(({ type }) => type === "loaded")).toHaveLength(2);
});

test("a clock that is set forward runs once what it jumped over; one that is set back starts counting there", async () => {
  const { clock, began, events } = await scene([app]);
  await clock.pass(minute);
  clock.set(noon + 180 * minute);
  await clock.pass(10_000);
  expect(began).toEqual(["12:00:00 app", "15:00:05 app"]);
  clock.set(noon - 60 * minute);
  await clock.pass(6 * minute);
  expect(began.slice(2)).toEqual(["11:05:00 app"]);
  expect(events.filter(({ type }) => type === "clock")).toHaveLength(1);
});

test("stopped, it begins nothing, lets runs end, and aborts those that take too long", async () => {
  const seen: string[] = [];
  const run = async ({ name }: Job, { soft, hard }: Stops, clock: ManualClock): Promise<RunReport> => {
    await clock.sleep(name === "short" ? 10_000 : 100_000, hard).catch(() => seen.push(`${name} was aborted`));
    seen.push(`${name} ended, ${soft.aborted ? "stopping" : "on its way"}`);
    return fine;
  };
  const jobs = ["short", "long", "queued"].map((name) => ({ name, schedule: "0 0 * * *" }));
  const { clock, began, events, watch, stop } = await scene(jobs, run, { atOnce: 2 });
  await clock.pass(2000);
  stop.abort();
  let over = false;
  void watch.ended.then(() => (over = true));
  await clock.pass(24_000);
  expect([seen, over, watch.status().draining]).toEqual([["short ended, stopping"], false, true]);
  await clock.pass(1000);
  expect(seen.slice(1)).toEqual(["long was aborted", "long ended, stopping"]);
  expect([over, began.length]).toEqual([true, 2]);
  expect(events.map(({ type }) => type).filter((type) => type === "draining" || type === "aborted")).toEqual([
    "draining",
    "aborted",
  ]);
});

test("what is wrong at the start is thrown", async () => {
  await expect(scene(undefined as unknown as Job[])).rejects.toThrow("no file");
});
