import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { peer, type PeerName } from "../e2e/support/peers.ts";
import { gantryPath, root, run } from "../e2e/support/run.ts";
import { homeIn } from "./support/clients.ts";
import { firstRequest } from "./support/first-request.ts";
import { digits, spread, type Goal } from "./support/report.ts";
import { type Contender, median, rounds } from "./support/rounds.ts";
import type { Scenario } from "./support/scenario.ts";
import { scratch } from "./support/scratch.ts";

const bare = "node, an empty module";
const built = join(root, "dist", "gantry.cjs");
type Environment = Readonly<Record<string, string | undefined>>;

/** How long it takes until a command has started. */
export const startup: Scenario = {
  name: "startup",
  about:
    "From the start of a program to its end, or to the arrival of its first request; `gantry` is the built program under the Node that the install brings along, " +
    "with a warm compile cache, `bin/gantry` is the launcher of a clone.",
  runs: 30,
  async run(settings) {
    const folder = scratch("memory");
    const env = await homeIn(folder);
    const empty = join(folder, "empty.mjs");
    await writeFile(empty, "");
    const node = process.execPath;
    const request = (path: string, ...args: readonly string[]): (() => Promise<number>) => {
      return () => firstRequest((host) => ({ path, env, args: [...args, "digest", `${host}/x:y`] }));
    };
    const contenders: readonly Contender<number>[] = [
      { name: bare, run: ending(env, node, empty) },
      { name: "gantry version", run: ending(env, node, built, "version") },
      { name: "gantry --help", run: ending(env, node, built, "--help") },
      { name: "gantry digest: first request", run: request(node, built) },
      { name: "bin/gantry version", run: ending(env, gantryPath, "version") },
      { name: "bin/gantry digest: first request", run: request(gantryPath) },
      ...peerEnding("skopeo", env, "--version"),
      ...peerEnding("crane", env, "version"),
    ];
    const samples = await rounds("startup", contenders, settings);
    const ms = (name: string): readonly number[] => (samples.get(name) ?? []).map((seconds) => seconds * 1000);
    const above = (name: string): number => median(ms(name)) - median(ms(bare));
    const goal = (name: string, most: number): Goal => ({
      what: `${name}, above bare node`,
      value: above(name),
      most,
      unit: " ms",
    });
    return {
      tables: [
        {
          title: "Milliseconds (least-most)",
          head: ["", "ms", "above bare node"],
          rows: [...samples.keys()].map((name) => [name, spread(ms(name)), digits(above(name))]),
        },
      ],
      goals: [goal("gantry version", 10), goal("gantry --help", 40), goal("gantry digest: first request", 30)],
    };
  },
};

function ending(env: Environment, path: string, ...args: readonly string[]): () => Promise<number> {
  return async () => {
    const before = performance.now();
    const { code, command, stderr } = await run(path, args, { env });
    if (code !== 0) throw new Error(`exit ${code}: ${command}\n${stderr}`);
    return (performance.now() - before) / 1000;
  };
}

function peerEnding(name: PeerName, env: Environment, ...args: readonly string[]): readonly Contender<number>[] {
  const found = peer(name);
  return found ? [{ name: `${name} ${args.join(" ")}`, run: ending(env, found.path, ...args) }] : [];
}
