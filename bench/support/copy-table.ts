import { ours } from "./clients.ts";
import { digits, spread, type Goal, type Table } from "./report.ts";
import { median } from "./rounds.ts";
import type { Sample } from "./timing.ts";

/** What each program's runs took, by its name. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** The programs with their times, each compared with Gantry. */
export function copyTable(title: string, samples: Samples): Table {
  const isTold = [...samples.values()].flat().some(({ destinationCpu }) => destinationCpu !== undefined);
  const head = ["", "wall s (least-most)", "gantry is", "CPU s", "gantry's CPU", "memory MB"];
  const own = samples.get(ours) ?? [];
  const rows = [...samples].map(([name, runs]) => [
    name,
    spread(runs.map(({ wall }) => wall)),
    name === ours ? "" : `${digits(ratio(runs, own, wallOf))}x as fast`,
    digits(median(runs.map(cpuOf))),
    name === ours ? "" : `${digits(ratio(own, runs, cpuOf))}x`,
    digits(Math.max(...runs.map(({ memory }) => memory)) / 1e6),
    ...(isTold ? [digits(median(runs.map(({ destinationCpu = Number.NaN }) => destinationCpu)))] : []),
  ]);
  return { title, head: isTold ? [...head, "destination's CPU s"] : head, rows };
}

/** How many times as fast as a peer Gantry is to be. */
export function speedGoal(what: string, samples: Samples, name: string, least: number): readonly Goal[] {
  const runs = samples.get(name);
  if (!runs) return [];
  return [
    { what: `${what}: speed beside ${name}`, value: ratio(runs, samples.get(ours) ?? [], wallOf), least, unit: "x" },
  ];
}

/** That Gantry is not behind a peer: what lies within a twentieth is noise. */
export function levelGoal(what: string, samples: Samples, name: string): readonly Goal[] {
  return speedGoal(what, samples, name, 0.95);
}

/** The most of a peer's CPU time that Gantry may take. */
export function cpuGoal(what: string, samples: Samples, name: string, most: number): readonly Goal[] {
  const runs = samples.get(name);
  if (!runs) return [];
  return [{ what: `${what}: CPU beside ${name}`, value: ratio(samples.get(ours) ?? [], runs, cpuOf), most, unit: "x" }];
}

/** The most memory that Gantry may take, in megabytes. */
export function memoryGoal(what: string, samples: Samples, most: number): Goal {
  const value = Math.max(...(samples.get(ours) ?? []).map(({ memory }) => memory)) / 1e6;
  return { what: `${what}: peak memory`, value, most, unit: " MB" };
}

function ratio(above: readonly Sample[], below: readonly Sample[], of: (sample: Sample) => number): number {
  return median(above.map(of)) / median(below.map(of));
}

const wallOf = ({ wall }: Sample): number => wall;
const cpuOf = ({ cpu }: Sample): number => cpu;
