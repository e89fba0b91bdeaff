import { version } from "../version.ts";

/** What runs every other command line. */
interface Program {
  runAsProcess(words: readonly string[]): Promise<never>;
}

/** Runs words as this process; the version is told with nothing loaded. */
export async function start(words: readonly string[], load: () => Program | Promise<Program>): Promise<void> {
  if (words.length === 1 && ["version", "--version", "-V"].includes(words[0]!)) {
    // Nothing is loaded that would say more.
    process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EPIPE") process.exit(0);
      process.stderr.write(`error: cannot write standard output: ${code}\n`);
      process.exit(1);
    });
    process.stdout.write(`gantry ${version}\n`);
  } else {
    await (await load()).runAsProcess(words);
  }
}
