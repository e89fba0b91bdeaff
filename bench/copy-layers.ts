import { startDockerRegistry } from "../e2e/support/registries.ts";
import type { ImageOptions } from "../e2e/support/images.ts";
import { copyClients, type Client } from "./support/clients.ts";
import { copyTable, cpuGoal, levelGoal, memoryGoal, speedGoal, type Samples } from "./support/copy-table.ts";
import { dataSet, load } from "./support/data.ts";
import { rounds } from "./support/rounds.ts";
import type { Scenario, Settings } from "./support/scenario.ts";
import { scratch } from "./support/scratch.ts";
import { cpuOf, timed, type Sample } from "./support/timing.ts";
import { verify, type Tagged } from "./support/verify.ts";

const MiB = 1024 * 1024;
const repository = "bench/layers";

/** Large layers, from registry to registry. */
export const copyLayers: Scenario = {
  name: "copy-layers",
  about:
    "An image is copied from one docker-registry to another, both on a file system in memory, the destination empty each time. " +
    "After each run all that arrived is read back and hashed. The destination takes a layer in one thread, which hashes and " +
    "writes it: where its CPU time is the wall time, no client can be faster.",
  runs: 5,
  async run(settings) {
    const folder = scratch("memory");
    const data = await dataSet(settings.quick ? "layers-quick" : "layers", recipe(settings.quick));
    await using source = await startDockerRegistry({ folder, cache: true });
    await load(data, source.host, repository);
    const clients = await copyClients(folder);
    const measured = new Map<string, Samples>();
    for (const image of data.images)
      measured.set(image.tag, await copyRounds(image, { source: source.host, folder, clients, settings }));
    const big = measured.get("one") ?? new Map();
    const many = measured.get("forty") ?? new Map();
    return {
      tables: [copyTable("1 layer of 1 GiB", big), copyTable("40 layers of 10 MiB", many)],
      goals: [
        ...speedGoal("1 GiB", big, "skopeo", 1.25),
        ...cpuGoal("1 GiB", big, "skopeo", 0.5),
        ...speedGoal("40 layers", many, "skopeo", 1.25),
        ...["crane", "regctl"].flatMap((peer) => [
          ...levelGoal("1 GiB", big, peer),
          ...levelGoal("40 layers", many, peer),
        ]),
        memoryGoal("1 GiB", big, 110),
        memoryGoal("40 layers", many, 110),
      ],
    };
  },
};

function recipe(quick: boolean): Readonly<Record<string, ImageOptions>> {
  return {
    one: { layers: 1, layerSize: (quick ? 64 : 1024) * MiB, seed: "one" },
    forty: { layers: 40, layerSize: (quick ? 1 : 10) * MiB, seed: "forty" },
  };
}

interface Setting {
  readonly source: string;
  readonly folder: string;
  readonly clients: readonly Client[];
  readonly settings: Settings;
}

function copyRounds(image: Tagged, { source, folder, clients, settings }: Setting): Promise<Samples> {
  const contenders = clients.map(({ name, copy }) => ({
    name,
    run: async (): Promise<Sample> => {
      await using destination = await startDockerRegistry({ folder, cache: true });
      const before = await cpuOf(destination.pid);
      const sample = await timed(copy({ host: source, repository }, { host: destination.host, repository }, image.tag));
      const destinationCpu = (await cpuOf(destination.pid)) - before;
      await verify(destination.host, repository, [image]);
      return { ...sample, destinationCpu };
    },
  }));
  return rounds(`${image.tag} layers`, contenders, settings);
}
