import { join } from "node:path";
import { must, root, run } from "../../e2e/support/run.ts";
import { cpuOf } from "./timing.ts";

/** What a server did under load. */
export interface Served {
  /** Requests, or pushes, a second. */
  readonly rate: number;
  /** CPU seconds of the server for each. */
  readonly cpu: number;
}

/** A server under load. */
export interface Server {
  readonly host: string;
  readonly pid: number;
}

const support = join(root, "bench", "support");

/** A path, and for how many seconds it is asked for. */
export interface ReadOptions {
  readonly path: string;
  readonly seconds: number;
  readonly accept?: string;
}

/** Fetches a path over 32 connections, as often as the server answers. */
export async function wrk({ host, pid }: Server, { path, accept = "*/*", seconds }: ReadOptions): Promise<Served> {
  const args = ["-t1", "-c32", `-d${seconds}s`, "-H", `Accept: ${accept}`, `http://${host}${path}`];
  const before = await cpuOf(pid);
  const text = await must(run("wrk", args));
  const cpu = (await cpuOf(pid)) - before;
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(text)) throw new Error(`wrk on ${host}${path}:\n${text}`);
  return { rate: Number(/Requests\/sec: *([\d.]+)/.exec(text)?.[1]), cpu: cpu / requests };
}

/** Asks for a path over so many connections, for what wrk cannot do: HEAD, and bodies faster than it reads. */
export function readLoad(
  server: Server,
  method: "GET" | "HEAD",
  { path, seconds }: ReadOptions,
  concurrency: number,
): Promise<Served> {
  return driven(server, "read-load.ts", method, path, seconds, concurrency);
}

/** Pushes so many blobs of a size, over so many connections. */
export function pushLoad(server: Server, size: number, count: number, concurrency: number): Promise<Served> {
  return driven(server, "push-load.ts", size, count, concurrency);
}

/** Runs a program of ours that writes how often it did its work, and the seconds that took. */
async function driven({ host, pid }: Server, program: string, ...args: readonly (string | number)[]): Promise<Served> {
  const before = await cpuOf(pid);
  const words = ["--disable-warning=ExperimentalWarning", join(support, program), host, ...args.map(String)];
  const text = await must(run(process.execPath, words, { timeout: 300_000 }));
  const cpu = (await cpuOf(pid)) - before;
  const [count = Number.NaN, seconds = Number.NaN] = text.split(" ").map(Number);
  return { rate: count / seconds, cpu: cpu / (program === "push-load.ts" ? count * 1.25 : count) };
}
