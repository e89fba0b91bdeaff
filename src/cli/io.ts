import type { Readable, Writable } from "node:stream";
import { fileError } from "../files/file-error.ts";
import type { Look } from "./render/text.ts";

/** An output stream, which may be a terminal. */
export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** All that the command line touches of the process it runs in. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What a stream can show: colours on terminals, unless NO_COLOR or TERM=dumb; FORCE_COLOR asks for them elsewhere. The
 * stream is looked at when somebody wants to know.
 */
export function lookOf(sink: () => Sink, env: Io["env"]): Look {
  return {
    get color() {
      if (env["NO_COLOR"]) return false;
      const forced = env["FORCE_COLOR"];
      if (forced !== undefined) return forced !== "0" && forced !== "false";
      return env["TERM"] !== "dumb" && sink().isTTY === true;
    },
    get width() {
      const { isTTY, columns } = sink();
      return isTTY ? Math.max(40, columns ?? 80) : undefined;
    },
  };
}

/** Writes, and waits until the bytes are out; rejects with EPIPE where the reader has gone. */
export function write(sink: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Writes a result, and says that it was one where it cannot be written. */
export async function writeOut({ stdout }: Pick<Io, "stdout">, data: string | Uint8Array): Promise<void> {
  try {
    await write(stdout, data);
  } catch (error) {
    throw isClosedPipe(error) ? error : fileError(error, "write standard output");
  }
}

/** Whether an error says that who read our output has gone: no failure of ours (`gantry ls | head`). */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}
