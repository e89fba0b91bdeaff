import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { peer } from "../e2e/support/peers.ts";
import { pushImage } from "../e2e/support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "../e2e/support/registries.ts";
import { gantryPath, run } from "../e2e/support/run.ts";
import { copyClients, homeIn, ours } from "./support/clients.ts";
import { copyTable, levelGoal, speedGoal, type Samples } from "./support/copy-table.ts";
import { type DataSet, dataSet, load, smallImages } from "./support/data.ts";
import { roundTripTo, slowed } from "./support/latency.ts";
import { digits, type Goal, type Table } from "./support/report.ts";
import { rounds } from "./support/rounds.ts";
import type { Scenario, Settings } from "./support/scenario.ts";
import { scratch } from "./support/scratch.ts";
import { type Command, timed, type Sample } from "./support/timing.ts";
import { verify } from "./support/verify.ts";

const repository = "bench/small";
/** Added to every round trip for the many repositories, in milliseconds. */
const latency = 20;
/** How many requests the transport lets be under way at a host in one direction. */
const slots = 32;

/** Files of mappings: one repository with many images, and many repositories. */
export const syncFiles: Scenario = {
  name: "sync",
  about:
    "`gantry sync` with a file of one mapping for a repository of 200 tags that never move (images of 10 layers of 200 KiB, 8 of them from one of 5 bases), from " +
    "one docker-registry to another, beside `skopeo sync` and regsync (16 at a time; without referrers, which Gantry takes along); then a file for " +
    `1,000 repositories of one tag each, from one \`gantry serve\` to another, with ${latency} ms added to every round trip: planning and copying, one after the other, take at least what the limit on requests lets through. What arrived is read back and hashed.`,
  runs: 3,
  async run(settings) {
    const folder = scratch("memory");
    const small = await dataSet(settings.quick ? "small-quick" : "small", smallImages(settings.quick ? 20 : 200));
    await using source = await startDockerRegistry({ folder, cache: true });
    await load(small, source.host, repository);
    const bench = { data: small, source, folder, settings, env: await homeIn(folder) };
    const cold = await coldRounds(bench);
    const [warm, warmSlow] = await warmRounds(bench);
    const many = await manyRepositories(bench);
    return {
      tables: [
        copyTable("Into an empty repository", cold),
        copyTable("Nothing to do", warm),
        copyTable(`Nothing to do, ${latency} ms away`, warmSlow),
        many.table,
      ],
      goals: [
        ...speedGoal("empty", cold, "skopeo", 3),
        ...levelGoal("empty", cold, "regsync"),
        ...speedGoal("nothing to do", warm, "skopeo", 20),
        ...levelGoal("nothing to do", warm, "regsync"),
        ...speedGoal("nothing to do, latency", warmSlow, "skopeo", 20),
        ...levelGoal("nothing to do, latency", warmSlow, "regsync"),
        ...many.goals,
      ],
    };
  },
};

interface Bench {
  readonly data: DataSet;
  readonly source: RunningRegistry;
  readonly folder: string;
  readonly env: Command["env"];
  readonly settings: Settings;
}

/** The same sync by each program that is there. */
async function syncs({ folder, env }: Bench, from: string, to: string): Promise<ReadonlyMap<string, Command>> {
  const [own, regsync] = [join(folder, "sync.yaml"), join(folder, "regsync.yaml")];
  await writeFile(
    own,
    JSON.stringify({
      version: 1,
      sync: [{ from: `${from}/${repository}`, to: `${to}/${repository}`, immutable: ["v*"] }],
    }),
  );
  const creds = [from, to].map((registry) => ({ registry, tls: "disabled" }));
  const mapping = { source: `${from}/${repository}`, target: `${to}/${repository}`, type: "repository" };
  const defaults = { parallel: 16, skipDockerConfig: true };
  await writeFile(regsync, JSON.stringify({ version: 1, creds, defaults, sync: [mapping] }));
  const skopeo = (await copyClients(folder)).find(({ name }) => name === "skopeo");
  const found = peer("regsync");
  return new Map<string, Command>([
    [ours, { path: gantryPath, env, args: ["sync", own, "--yes"] }],
    ...(skopeo ? [["skopeo", skopeo.copyAll({ host: from, repository }, { host: to, repository })] as const] : []),
    ...(found ? [["regsync", { path: found.path, env, args: ["once", "-c", regsync] }] as const] : []),
  ]);
}

async function coldRounds(bench: Bench): Promise<Samples> {
  const { source, folder, data, settings } = bench;
  const names = [...(await syncs(bench, source.host, source.host)).keys()];
  const contenders = names.map((name) => ({
    name,
    run: async (): Promise<Sample> => {
      await using destination = await startDockerRegistry({ folder, cache: true });
      const sample = await timed((await syncs(bench, source.host, destination.host)).get(name)!);
      await verify(destination.host, repository, data.images);
      return sample;
    },
  }));
  return rounds("empty", contenders, settings);
}

async function warmRounds(bench: Bench): Promise<readonly [Samples, Samples]> {
  const { source, folder, data, settings } = bench;
  await using destination = await startDockerRegistry({ folder, cache: true });
  await load(data, destination.host, repository);
  await using proxy = await slowed(latency, [source.host, destination.host]);
  const [from = "", to = ""] = proxy.hosts;
  const all = async (title: string, hosts: readonly [string, string]): Promise<Samples> => {
    const contenders = [...(await syncs(bench, ...hosts))].map(([name, command]) => ({
      name,
      run: () => timed(command),
    }));
    return rounds(title, contenders, settings);
  };
  return [await all("nothing to do", [source.host, destination.host]), await all("nothing to do, latency", [from, to])];
}

/**
 * One tag in each of many repositories, far away: how near that is to what the limit on requests allows. The registries are
 * Gantry's own, as on one machine docker-registry would take more of the CPU than the rest together.
 */
async function manyRepositories({
  folder,
  env,
  settings,
}: Bench): Promise<{ readonly table: Table; readonly goals: readonly Goal[] }> {
  const count = settings.quick ? 50 : 1000;
  const data = await dataSet("tiny", { v0: { layers: 1, layerSize: 10 * 1024, seed: "tiny" } });
  await using source = await startGantryRegistry({ folder });
  await using destination = await startGantryRegistry({ folder });
  await using counted = await startGantryRegistry({ folder });
  const names = Array.from({ length: count }, (_, i) => `many/r${i}`);
  for (const name of names) await pushImage(data.dir, data.images[0]!.image, `${source.host}/${name}:v0`);
  await using proxy = await slowed(latency, [source.host, destination.host, counted.host]);
  const [from = "", ...places] = proxy.hosts;
  const [timedFile, countedFile] = await Promise.all(
    places.map(async (to, i) => {
      const file = join(folder, `many-${i}.yaml`);
      const mapping = { from: names.map((name) => `${from}/${name}`), to: `${to}/{repository}` };
      await writeFile(file, JSON.stringify({ version: 1, sync: [mapping] }));
      return file;
    }),
  );
  const roundTrip = await roundTripTo(from);
  const rows: string[][] = [];
  let requests: readonly string[] = [];
  for (const what of ["all to copy", "nothing to do"]) {
    settings.log(`${what}: ${count} repositories`);
    const args = ["sync", "--yes", "--progress", "none"];
    const { wall, cpu } = await timed({ path: gantryPath, env, args: [...args, timedFile!] });
    const { code, stderr } = await run(gantryPath, [...args, "-v", countedFile!], { env, timeout: 600_000 });
    if (code !== 0) throw new Error(`exit ${code}: ${stderr.slice(-2000)}`);
    requests = stderr.split("\n").filter((line) => line.includes(" http://"));
    const busiest = inTurn(requests).reduce((sum, phase) => sum + busiestDirection(phase), 0);
    const least = (busiest * roundTrip) / 1000 / slots;
    rows.push([
      what,
      digits(wall),
      digits(cpu),
      digits(requests.length / count),
      digits(busiest / count),
      digits(least),
    ]);
  }
  await verify(destination.host, names.at(-1)!, data.images);
  const head = ["", "wall s", "CPU s", "requests each", "in the busiest direction", `least s at ${slots} at a time`];
  const title = `${count} repositories, ${latency} ms away (measured: ${digits(roundTrip)} ms)`;
  const goals = [
    { what: "nothing to do: requests a repository", value: requests.length / count, most: 2.05, unit: "" },
  ];
  return { table: { title, head, rows }, goals };
}

/** The requests for the plan, and those for what it does: nothing is copied before the plan is whole. */
function inTurn(requests: readonly string[]): readonly (readonly string[])[] {
  const first = requests.findIndex((line) => /\b(POST|PUT|PATCH|DELETE) http:/.test(line));
  return first < 0 ? [requests] : [requests.slice(0, first), requests.slice(first)];
}

/** How many of the requests that -v tells of go to one host in one direction, where most do: each has slots of its own. */
function busiestDirection(requests: readonly string[]): number {
  const directions = Map.groupBy(requests, (line) => {
    const [, method, host] = /(\w+) http:\/\/([^/]+)/.exec(line) ?? [];
    return `${host} ${method === "GET" || method === "HEAD" ? "pull" : "push"}`;
  });
  return Math.max(...[...directions.values()].map(({ length }) => length));
}
