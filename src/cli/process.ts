import { setTimeout as wait } from "node:timers/promises";
import { exitCodes } from "./exit-codes.ts";
import type { Io, Sink } from "./io.ts";
import { run } from "./run.ts";

/** Runs a command line as this process, and ends it. */
export async function runAsProcess(words: readonly string[]): Promise<never> {
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) endInterrupted();
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  // A command that listens itself takes it for a wish to read its files again.
  process.on("SIGHUP", () => void (process.listenerCount("SIGHUP") === 1 && interrupt()));
  for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, breakDown);
  hideSqliteWarning();
  const code = await run(words, processIo(), stop.signal);
  if (code === exitCodes.interrupted.code) endInterrupted();
  // What --command-timeout left; others wait for the disk a moment.
  for (let i = 0; code === exitCodes.failed.code && i < 20 && isWaiting(/^FSReq/); i++) await wait(50);
  if (code === exitCodes.failed.code && isWaiting(/^FSReq/)) die("SIGTERM");
  process.exit(code);
}

/** Ends at once. */
function endInterrupted(): never {
  if (process.stderr.isTTY) process.stderr.write("\u001B[?25h");
  if (isWaiting(/^(FSReq|GetAddrInfo)/)) die("SIGINT");
  process.exit(exitCodes.interrupted.code);
}

/** Whether a thread is in a system call. */
function isWaiting(resource: RegExp): boolean {
  return process.getActiveResourcesInfo().some((name) => resource.test(name));
}

/** Ends as by a signal: exit() would wait for a thread that hangs in a system call. */
function die(signal: "SIGINT" | "SIGTERM"): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** The standard streams, each made when it is needed: that takes Node a millisecond or two. */
function processIo(): Io {
  const quiet = new Set<Sink>();
  // A reader that has gone is told by the write that fails; without a listener the event would end the process.
  const listening = (sink: Sink): Sink => {
    if (!quiet.has(sink)) quiet.add(sink.on("error", () => {}));
    return sink;
  };
  return {
    env: process.env,
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return listening(process.stdout);
    },
    get stderr() {
      return listening(process.stderr);
    },
  };
}

/** What nobody caught is a mistake of ours: said in a line, unless somebody looks for it. */
function breakDown(error: unknown): never {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`error: internal error: ${message}\n${process.env["GANTRY_DEBUG"] ? `${stack}\n` : ""}`);
  process.exit(1);
}

/** node:sqlite works and is called experimental: nobody who runs a registry can do anything about it. */
function hideSqliteWarning(): void {
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === "ExperimentalWarning" && String(warning).includes("SQLite")) return;
    (emit as (...args: unknown[]) => void)(warning, ...rest);
  };
}
