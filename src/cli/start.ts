import { version } from "../version.ts";

/** What runs every other command line. */
interface Program {
  runAsProcess(words: readonly string[]): Promise<never>;
}

/** Runs words as this process; the version is told with nothing loaded. */
export async function start(words: readonly string[], load: () => Program | Promise<Program>): Promise<void> {
  if (words.length === 1 && ["version", "--version", "-V"].includes(words[0]!)) {
    process.stdout.write(`gantry ${version}\n`);
  } else {
    await (await load()).runAsProcess(words);
  }
}
