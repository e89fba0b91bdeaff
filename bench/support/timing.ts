import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../e2e/support/run.ts";

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

/** Runs a command to its end, under GNU time; one that fails or takes longer than five minutes is an error. */
export async function timed({ path, args, env = {} }: Command): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-bench-time-"));
  const report = join(folder, "report");
  try {
    const before = performance.now();
    const { code, stdout, stderr } = await run(
      "time",
      ["--quiet", "--format=%U %S %M", `--output=${report}`, path, ...args],
      {
        env,
        timeout: 300_000,
      },
    );
    const wall = (performance.now() - before) / 1000;
    if (code !== 0) throw new Error(`exit ${code}: ${path} ${args.join(" ")}\n${stderr}${stdout}`);
    const [user = Number.NaN, system = Number.NaN, kilobytes = Number.NaN] = (await readFile(report, "utf8"))
      .split(" ")
      .map(Number);
    return { wall, cpu: user + system, memory: kilobytes * 1024 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
