// Runs the commands that another process sends it, one at a time, and answers what each took.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../e2e/support/run.ts";
import type { Command, Sample, Timing } from "./timing.ts";

process.on("disconnect", () => process.exit());
process.on("message", (command: Command) => {
  void measure(command).then(answer, (error: Error) => answer(error.message));
});

function answer(timing: Timing): void {
  process.send?.(timing);
}

async function measure({ path, args, env = {} }: Command): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-bench-time-"));
  const report = join(folder, "report");
  try {
    const before = performance.now();
    const { code, stdout, stderr } = await run(
      "time",
      ["--quiet", "--format=%U %S %M", `--output=${report}`, path, ...args],
      { env, timeout: 300_000 },
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
