import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root, start } from "../../e2e/support/run.ts";
import { median } from "./rounds.ts";

/** Other addresses of registries, from which everything takes longer. */
export interface Latency extends AsyncDisposable {
  readonly hosts: readonly string[];
}

const program = join(root, "bench", "support", "latency-proxy.ts");

/** Puts a proxy in a process of its own before each host, which adds so many milliseconds to every round trip, and takes nothing off the throughput. */
export async function slowed(roundTrip: number, hosts: readonly string[]): Promise<Latency> {
  const ports = hosts.map((host) => host.slice(host.indexOf(":") + 1));
  const running = start(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    program,
    `${roundTrip / 2}`,
    ...ports,
  ]);
  while (running.alive() && !running.stdout().includes("\n")) await delay(10);
  if (!running.alive()) throw new Error(`the latency proxy did not start: ${running.stderr()}`);
  const listening = JSON.parse(running.stdout()) as readonly number[];
  return {
    hosts: listening.map((port) => `127.0.0.1:${port}`),
    [Symbol.asyncDispose]: async () => void (await running.stop()),
  };
}

/** How long a registry takes to answer the smallest request, in milliseconds. */
export async function roundTripTo(host: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    await (await fetch(`http://${host}/v2/`)).arrayBuffer();
    times.push(performance.now() - before);
  }
  return median(times);
}
