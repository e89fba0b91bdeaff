import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { aborted } from "../transport/clock.ts";
import type { Environment } from "./credential.ts";

/** How a program ended: by itself, or because it took or wrote too much. */
export interface ProgramOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly cut?: "time" | "output";
}

export interface ProgramOptions {
  readonly env: Environment;
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a program may write, in bytes. */
const outputLimit = 1024 * 1024;
/** How long the pipes of a program that has ended are read on: what it started may hold them open for ever. */
const lastWords = 500;

/** Finds a program in the absolute folders of PATH: never in the current directory, where anybody's files may lie. */
export async function findProgram(name: string, env: Environment): Promise<string | undefined> {
  const isWindows = process.platform === "win32";
  const folders = (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of folders) {
    const path = join(folder, isWindows ? `${name}.exe` : name);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/**
 * Runs a program without a shell, with `input` as its standard input. One that takes longer than its time, writes more
 * than 1 MiB or is not wanted any more is killed with all it started. Rejects where it cannot be started, and with ABORTED.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  input: string,
  { env, timeout, signal }: ProgramOptions,
): Promise<ProgramOutcome> {
  const { spawn } = await import("node:child_process");
  if (signal?.aborted) throw aborted(signal);
  // In a group of its own, so that its children can be ended with it.
  const child = spawn(path, args, { env, stdio: "pipe", windowsHide: true, detached: process.platform !== "win32" });
  let cut: ProgramOutcome["cut"];
  const end = (why: ProgramOutcome["cut"]): void => {
    cut ??= why;
    killAll(child);
  };
  const abort = (): void => killAll(child);
  const stdout = gather(child.stdout, () => end("output"));
  const stderr = gather(child.stderr, () => end("output"));
  const timer = setTimeout(() => end("time"), timeout);
  signal?.addEventListener("abort", abort, { once: true });
  child.stdin.on("error", () => {}); // It may end without reading.
  child.stdin.end(input);
  try {
    const code = await ended(child);
    if (signal?.aborted) throw aborted(signal);
    return { code, stdout: stdout(), stderr: stderr(), ...(cut && { cut }) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function gather(stream: NodeJS.ReadableStream, full: () => void): () => string {
  const pieces: Buffer[] = [];
  let size = 0;
  stream.on("data", (piece: Buffer) => {
    size += piece.byteLength;
    if (size > outputLimit) full();
    else pieces.push(piece);
  });
  return () => Buffer.concat(pieces).toString("utf8");
}

function ended(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let leave: NodeJS.Timeout | undefined;
    child.once("error", reject);
    child.once("exit", () => {
      leave = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, lastWords);
    });
    child.once("close", (code) => {
      clearTimeout(leave);
      resolve(code);
    });
  });
}

function killAll(child: ChildProcessWithoutNullStreams): void {
  try {
    if (process.platform === "win32" || child.pid === undefined) child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}
