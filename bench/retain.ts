import { join } from "node:path";
import { root, run } from "../e2e/support/run.ts";
import { digits, spread, type Goal } from "./support/report.ts";
import { median, rounds } from "./support/rounds.ts";
import type { Scenario } from "./support/scenario.ts";

interface Sample {
  readonly cpu: number;
  readonly wall: number;
  readonly memory: number;
  readonly steps: number;
  readonly kept: number;
}

const images = 20_000;
const policies = [
  ["own", "Gantry's own policy, three rules"],
  ["ecr", "a policy of ECR, two rules"],
] as const;

/** How long it takes to plan retention once all is read. */
export const retain: Scenario = {
  name: "retain",
  about:
    `Retention is planned for a repository of ${5 * images} tags on ${images} images for two platforms, that is in memory already. ` +
    "Each time in a process of its own, whose memory is that of the repository, the plan and Node together.",
  runs: 5,
  async run(settings) {
    const count = settings.quick ? images / 10 : images;
    const contenders = policies.map(([kind, name]) => ({ name, run: () => planned(kind, count) }));
    const samples = await rounds("retain", contenders, settings);
    const of = (name: string, what: keyof Sample): readonly number[] =>
      (samples.get(name) ?? []).map((sample) => sample[what]);
    return {
      tables: [
        {
          title: `${5 * count} tags on ${count} images`,
          head: ["", "CPU ms", "ms", "memory MB", "steps", "kept"],
          rows: policies.map(([, name]) => [
            name,
            ...(["cpu", "wall", "memory"] as const).map((what) => spread(of(name, what))),
            digits(median(of(name, "steps"))),
            digits(median(of(name, "kept"))),
          ]),
        },
      ],
      goals: policies.flatMap(([, name]): Goal[] => [
        { what: `${name}: CPU`, value: median(of(name, "cpu")), most: 1000, unit: " ms" },
        { what: `${name}: memory`, value: median(of(name, "memory")), most: 300, unit: " MB" },
      ]),
    };
  },
};

async function planned(kind: string, count: number): Promise<Sample> {
  const program = join(root, "bench", "support", "plan-retention.ts");
  // As bin/gantry starts it.
  const words = [
    "--min-semi-space-size=8",
    "--max-semi-space-size=8",
    "--expose-gc",
    "--disable-warning=ExperimentalWarning",
    program,
    kind,
    String(count),
  ];
  const { code, stdout, stderr } = await run(process.execPath, words);
  if (code !== 0) throw new Error(`exit ${code}: plan-retention\n${stderr}`);
  return JSON.parse(stdout) as Sample;
}
