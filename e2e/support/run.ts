import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** How a command is run; `env` is added to this process's, where `undefined` removes a variable. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Uint8Array;
  /** In milliseconds; the command and its children are then killed. One minute unless told. */
  readonly timeout?: number;
}

/** How a command ended; `code` is 128 and more when a signal ended it, as in a shell. */
export interface Outcome {
  readonly command: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What went to stdout, as bytes. */
  readonly bytes: Buffer;
}

/** A command that is under way. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Outcome>;
  readonly alive: () => boolean;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends a signal to the command and its children. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Ends it with SIGTERM, after five seconds with SIGKILL. */
  readonly stop: () => Promise<Outcome>;
}

const signals: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
const alive = new Set<ChildProcess>();

process.once("exit", () => alive.forEach((child) => signalGroup(child, "SIGKILL")));
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => process.exit(128 + (signals[signal] ?? 0)));
}

/** Starts a command in a process group of its own, which does not outlive this process. */
export function start(command: string, args: readonly string[], options: Omit<RunOptions, "timeout"> = {}): Running {
  const { cwd = root, env = {}, stdin } = options;
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: "pipe" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {}); // The command may end without reading all of it.
  child.stdin.end(stdin);
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
  const ended = ending(child).then((code) => ({
    command: [command, ...args].join(" "),
    code,
    stdout: text(stdout),
    stderr: text(stderr),
    bytes: Buffer.concat(stdout),
  }));
  ended.catch(() => {}); // Whoever awaits it gets the error; nobody has to.
  const stop = async (): Promise<Outcome> => {
    signalGroup(child, "SIGTERM");
    const harder = setTimeout(() => signalGroup(child, "SIGKILL"), 5000);
    return await ended.finally(() => clearTimeout(harder));
  };
  return {
    pid: child.pid ?? 0,
    ended,
    alive: () => alive.has(child),
    stdout: () => text(stdout),
    stderr: () => text(stderr),
    kill: (signal) => signalGroup(child, signal),
    stop,
  };
}

/** Waits until a command has ended and all of its output is there; gives the exit code. */
async function ending(child: ChildProcess): Promise<number> {
  alive.add(child);
  return await new Promise((resolve, reject) => {
    child.on("error", (error) => {
      alive.delete(child);
      reject(error);
    });
    child.on("exit", () => {
      alive.delete(child);
      // A child that it left behind would hold the pipes open.
      const leftBehind = setTimeout(() => signalGroup(child, "SIGKILL"), 2000);
      child.on("close", () => clearTimeout(leftBehind));
    });
    child.on("close", (code, signal) => resolve(code ?? 128 + (signals[signal ?? "SIGKILL"] ?? 0)));
  });
}

/** Runs a command to its end, whatever its exit code; one that takes longer than `timeout` is killed and an error. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { timeout = 60_000, ...rest } = options;
  const running = start(command, args, rest);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    running.kill("SIGKILL");
  }, timeout);
  const outcome = await running.ended.finally(() => clearTimeout(timer));
  if (late) throw new Error(`not done after ${timeout} ms: ${outcome.command}\n${outcome.stderr}`);
  return outcome;
}

/** What a command that has to succeed wrote to stdout, without the last line end; else an error with all it said. */
export async function must(running: Promise<Outcome>): Promise<string> {
  const { command, code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`exit ${code}: ${command}\n${stderr}${stdout}`);
  return stdout.replace(/\n$/, "");
}

/** The launcher of the built command line. */
export const gantryPath = join(root, "bin", "gantry");

/** Runs the built command line from the root of the repository. */
export async function gantry(...args: readonly string[]): Promise<Outcome> {
  return await run(gantryPath, args);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // All of the group has ended.
  }
}
