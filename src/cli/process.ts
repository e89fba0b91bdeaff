import type { Io } from "./io.ts";
import { run } from "./run.ts";

/** Runs a command line as this process, and ends it. */
export async function runAsProcess(words: readonly string[]): Promise<never> {
  const { stdin, stdout, stderr, env } = process;
  const io: Io = { stdin, stdout, stderr, env };
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) {
      if (stderr.isTTY) stderr.write("\u001B[?25h");
      process.exit(130);
    }
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  // A reader that has gone is told by the write that fails; without a listener the event would end the process.
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, breakDown);
  hideSqliteWarning();
  process.exit(await run(words, io, stop.signal));
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
