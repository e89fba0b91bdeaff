import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What one run took; the tree of processes that it started counts. */
export interface Sample {
  /** In seconds. */
  readonly wall: number;
  /** In the program and in the kernel, in seconds. */
  readonly cpu: number;
  /** The most memory of any one process, in bytes. */
  readonly memory: number;
  /** What the registry that was written to took of the CPU meanwhile, in seconds. */
  readonly destinationCpu?: number;
}

/** What the stopwatch answers: what a command took, or what went wrong with it. */
export type Timing = Sample | string;

/** A program to run. */
export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The CPU seconds that a process has taken so far. */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Linux counts so, whatever the kernel was built with. */
const ticksPerSecond = 100;

let stopwatch: ChildProcess | undefined;

/**
 * Runs a command to its end, under GNU time; one that fails or takes longer than five minutes is an error. It is started by a
 * small process beside this one: to start a program takes the longer, the more memory who starts it has.
 */
export async function timed(command: Command): Promise<Sample> {
  const { promise, resolve, reject } = Promise.withResolvers<Timing>();
  const ended = (): void => reject(new Error("the process that measures has ended"));
  const child = (stopwatch ??= fork(join(import.meta.dirname, "stopwatch.ts"), { serialization: "advanced" }));
  child.ref();
  child.channel?.ref();
  child.once("message", resolve).once("exit", ended).send(command);
  try {
    const timing = await promise;
    if (typeof timing === "string") throw new Error(timing);
    return timing;
  } finally {
    child.off("exit", ended).unref();
    child.channel?.unref();
  }
}
