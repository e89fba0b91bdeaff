import { Writable } from "node:stream";
import { RegistryError } from "../index.ts";
import { write, type Io } from "./io.ts";

/** Asks for a line on the terminal, unseen where it is `hidden`; undefined where there is no terminal. Throws ABORTED on Ctrl-C and Ctrl-D. */
export async function ask(
  question: string,
  { stdin, stderr }: Io,
  { hidden = false, signal }: { readonly hidden?: boolean; readonly signal: AbortSignal },
): Promise<string | undefined> {
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  const { createInterface } = await import("node:readline");
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const prompt = createInterface({ input: stdin, output: hidden ? nowhere : stderr, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = (): void => reject(new RegistryError("ABORTED", "interrupted"));
      signal.addEventListener("abort", stop, { once: true });
      prompt.on("close", stop);
      prompt.question(hidden ? "" : question, resolve);
      // Only now: the terminal would show what is typed before it was told not to.
      if (hidden) write(stderr, question).catch(reject);
      if (signal.aborted) stop();
    });
  } finally {
    prompt.close();
    // The terminal did not show the end of the line either.
    if (hidden) await write(stderr, "\n");
  }
}
