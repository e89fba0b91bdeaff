import { type RunningRegistry, startDockerRegistry } from "../e2e/support/registries.ts";
import { copyClients, type Client } from "./support/clients.ts";
import { copyTable, levelGoal, memoryGoal, speedGoal, type Samples } from "./support/copy-table.ts";
import { type DataSet, dataSet, load, smallImages } from "./support/data.ts";
import { roundTripTo, slowed } from "./support/latency.ts";
import { digits, type Goal } from "./support/report.ts";
import { type Contender, rounds } from "./support/rounds.ts";
import type { Scenario, Settings } from "./support/scenario.ts";
import { scratch } from "./support/scratch.ts";
import { timed, type Sample } from "./support/timing.ts";
import { verify } from "./support/verify.ts";

const repository = "bench/small";
/** What is added to every round trip to either registry, in milliseconds. */
const latency = 10;

/** Many small images, from registry to registry, and again when there is nothing left to do. */
export const syncSmall: Scenario = {
  name: "sync-small",
  about:
    "A repository with 200 tags, each an image of 10 layers of 200 KiB, 8 of them from one of 5 bases, is copied from one docker-registry to another " +
    `by one command (\`skopeo sync\` for skopeo); with ${latency} ms of latency, that is added to every round trip to either registry. ` +
    "After each run into an empty repository all that arrived is read back and hashed.",
  runs: 3,
  async run(settings) {
    const folder = scratch("memory");
    const data = await dataSet(settings.quick ? "small-quick" : "small", smallImages(settings.quick ? 20 : 200));
    await using source = await startDockerRegistry({ folder, cache: true });
    await load(data, source.host, repository);
    const bench = { data, source, folder, settings, clients: await copyClients(folder) };
    const cold = await coldRounds(bench, false);
    const coldSlow = await coldRounds(bench, true);
    const [warm, warmSlow, roundTrip] = await warmRounds(bench);
    const slow = `${latency} ms of latency (measured: ${digits(roundTrip)} ms)`;
    return {
      tables: [
        copyTable("Into an empty repository", cold),
        copyTable(`Into an empty repository, ${slow}`, coldSlow),
        copyTable("Nothing to do", warm),
        copyTable(`Nothing to do, ${slow}`, warmSlow),
      ],
      goals: [
        ...speedGoal("empty", cold, "skopeo", 3.5),
        ...speedGoal("empty, latency", coldSlow, "skopeo", 10),
        ...speedGoal("nothing to do", warm, "skopeo", 3),
        ...speedGoal("nothing to do, latency", warmSlow, "skopeo", 25),
        ...["crane", "regctl"].flatMap((name): Goal[] => [
          ...levelGoal("empty", cold, name),
          ...levelGoal("empty, latency", coldSlow, name),
          ...levelGoal("nothing to do", warm, name),
          ...levelGoal("nothing to do, latency", warmSlow, name),
        ]),
        memoryGoal("empty", cold, 110),
      ],
    };
  },
};

interface Bench {
  readonly data: DataSet;
  readonly source: RunningRegistry;
  readonly folder: string;
  readonly clients: readonly Client[];
  readonly settings: Settings;
}

function coldRounds({ data, source, folder, clients, settings }: Bench, isSlow: boolean): Promise<Samples> {
  const contenders = clients.map(({ name, copyAll }) => ({
    name,
    run: async (): Promise<Sample> => {
      await using destination = await startDockerRegistry({ folder, cache: true });
      await using proxy = isSlow ? await slowed(latency, [source.host, destination.host]) : undefined;
      const [from = source.host, to = destination.host] = proxy?.hosts ?? [];
      const sample = await timed(copyAll({ host: from, repository }, { host: to, repository }));
      await verify(destination.host, repository, data.images);
      return sample;
    },
  }));
  // The slow rounds need no warm-up: they come after those without latency.
  return rounds(isSlow ? "empty, latency" : "empty", contenders, { ...settings, warmUps: isSlow ? 0 : 1 });
}

async function warmRounds({ data, source, folder, clients, settings }: Bench): Promise<[Samples, Samples, number]> {
  await using destination = await startDockerRegistry({ folder, cache: true });
  await load(data, destination.host, repository);
  await using proxy = await slowed(latency, [source.host, destination.host]);
  const between = ([from = "", to = ""]: readonly string[]): readonly Contender<Sample>[] =>
    clients.map(({ name, copyAll }) => ({
      name,
      run: () => timed(copyAll({ host: from, repository }, { host: to, repository })),
    }));
  return [
    await rounds("nothing to do", between([source.host, destination.host]), settings),
    await rounds("nothing to do, latency", between(proxy.hosts), settings),
    await roundTripTo(proxy.hosts[0] ?? ""),
  ];
}
