import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "../e2e/support/registries.ts";
import { ours } from "./support/clients.ts";
import { dataSet, load } from "./support/data.ts";
import { pushLoad, readLoad, type Served, type Server, wrk } from "./support/load.ts";
import { digits, type Goal, spread, type Table } from "./support/report.ts";
import { median, rounds } from "./support/rounds.ts";
import type { Scenario, Settings } from "./support/scenario.ts";
import { scratch } from "./support/scratch.ts";
import { verify } from "./support/verify.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const repository = "bench/served";
const theirs = "docker-registry";

/** One kind of load, and how many times docker-registry's rate Gantry's is to be. */
interface Load {
  readonly title: string;
  readonly goal: number;
  /** What one request or push moves, where that is what counts. */
  readonly bytes?: number;
  readonly put: (server: Server) => Promise<Served>;
}

/** The registries, each under the same load. */
export const server: Scenario = {
  name: "server",
  about:
    "`gantry serve` and docker-registry (its log off, what it knows of blobs in memory), one process each, under the same load, one after the other; " +
    "their data on the same disk. Small requests come from wrk, over 32 connections; the others from a program that does as little as it can. " +
    "Pushes are POST and PUT, each of a new blob, into a registry that was empty a moment before.",
  runs: 5,
  async run(settings) {
    const folder = scratch("disk");
    const loads = [...(await readLoads(settings, folder)), ...(await writeLoads(settings, folder))];
    return { tables: [table(loads)], goals: loads.map(goalOf) };
  },
};

type Registries = ReadonlyMap<string, (folder: string) => Promise<RunningRegistry>>;

const registries: Registries = new Map([
  [ours, (folder) => startGantryRegistry({ folder })],
  [theirs, (folder) => startDockerRegistry({ folder, cache: true })],
]);

/** What a load came to, at each of the registries. */
interface Outcome extends Load {
  readonly samples: ReadonlyMap<string, readonly Served[]>;
}

/** Reads, from registries that stay up. */
async function readLoads(settings: Settings, folder: string): Promise<readonly Outcome[]> {
  const size = (settings.quick ? 10 : 100) * MiB;
  const data = await dataSet(settings.quick ? "served-quick" : "served", {
    small: { layers: 1, layerSize: 8 * KiB, seed: "served" }, // 10 KiB as a tar.
    large: { layers: 1, layerSize: size, seed: "served" },
  });
  const [small, large] = data.images.map(({ image }) => image);
  const blobAt = (image = small): string => `/v2/${repository}/blobs/${image?.blobs[1]?.digest}`;
  const accept = small?.root.mediaType ?? "";
  const seconds = settings.quick ? 1 : 3;
  const loads: readonly Load[] = [
    {
      title: "GET manifest",
      goal: 20,
      put: (at) => wrk(at, { path: `/v2/${repository}/manifests/small`, accept, seconds }),
    },
    { title: "HEAD blob", goal: 20, put: (at) => readLoad(at, "HEAD", { path: blobAt(), seconds }, 32) },
    { title: "GET blob of 10 KiB", goal: 15, put: (at) => wrk(at, { path: blobAt(), seconds }) },
    {
      title: "GET blob of 100 MiB, 4 at a time",
      goal: 1,
      bytes: size,
      put: (at) => readLoad(at, "GET", { path: blobAt(large), seconds }, 4),
    },
    {
      title: "GET blob of 100 MiB, 1 at a time",
      goal: 1,
      bytes: size,
      put: (at) => readLoad(at, "GET", { path: blobAt(large), seconds }, 1),
    },
  ];
  const running = new Map<string, RunningRegistry>();
  await using stack = new AsyncDisposableStack();
  for (const [name, start] of registries) {
    const registry = stack.use(await start(folder));
    await load(data, registry.host, repository);
    await verify(registry.host, repository, data.images);
    running.set(name, registry);
  }
  const outcomes: Outcome[] = [];
  for (const one of loads) {
    const contenders = [...running].map(([name, registry]) => ({ name, run: () => one.put(registry) }));
    outcomes.push({ ...one, samples: await rounds(one.title, contenders, settings) });
  }
  return outcomes;
}

/** Pushes, each time to a new registry. */
async function writeLoads(settings: Settings, folder: string): Promise<readonly Outcome[]> {
  const size = (settings.quick ? 10 : 100) * MiB;
  const part = settings.quick ? 0.1 : 1;
  const loads: readonly Load[] = [
    { title: "push 1 KiB, 16 at a time", goal: 4, put: (at) => pushLoad(at, KiB, 4000 * part, 16) },
    { title: "push 1 MiB, 8 at a time", goal: 2.5, bytes: MiB, put: (at) => pushLoad(at, MiB, 400 * part, 8) },
    { title: "push 100 MiB, 4 at a time", goal: 1.2, bytes: size, put: (at) => pushLoad(at, size, 8, 4) },
  ];
  const outcomes: Outcome[] = [];
  for (const one of loads) {
    const contenders = [...registries].map(([name, start]) => ({
      name,
      run: async (): Promise<Served> => {
        await using registry = await start(folder);
        return await one.put(registry);
      },
    }));
    outcomes.push({ ...one, samples: await rounds(one.title, contenders, settings) });
  }
  return outcomes;
}

function table(outcomes: readonly Outcome[]): Table {
  const head = ["", ours, theirs, "gantry has", `CPU ms: ${ours}`, theirs];
  const rows = outcomes.map(({ title, bytes, samples }) => {
    const rates = (name: string): string => {
      const values = samplesOf(samples, name).map(({ rate }) => (bytes === undefined ? rate : (rate * bytes) / 1e6));
      return `${spread(values)} ${bytes === undefined ? "/s" : "MB/s"}`;
    };
    const cpu = (name: string): string => digits(median(samplesOf(samples, name).map((sample) => sample.cpu)) * 1000);
    return [title, rates(ours), rates(theirs), `${digits(ratio(samples))}x the rate`, cpu(ours), cpu(theirs)];
  });
  return { title: "Rates (least-most), and the server's CPU time for each request or push", head, rows };
}

function goalOf({ title, goal, samples }: Outcome): Goal {
  return { what: `${title}: rate beside ${theirs}`, value: ratio(samples), least: goal, unit: "x" };
}

function ratio(samples: Outcome["samples"]): number {
  const rate = (name: string): number => median(samplesOf(samples, name).map((sample) => sample.rate));
  return rate(ours) / rate(theirs);
}

function samplesOf(samples: Outcome["samples"], name: string): readonly Served[] {
  return samples.get(name) ?? [];
}
