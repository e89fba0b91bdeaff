import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isRegistryError, type Plan } from "../index.ts";
import { digestOfPlan, readBegunJournal, type JournalRecord } from "../plan/index.ts";
import type { Cli } from "./cli.ts";
import { plain } from "./render/text.ts";
import * as planOptions from "./table/plan-options.ts";

/** Where a plan's journal is, where nobody says: the same for the same plan, so that applying it again goes on in it. */
export function journalPath(plan: Plan, cli: Cli): string {
  const made = plan.made.replace(/[^\dTZ]/g, "");
  const name = `${plan.kind}-${made}-${digestOfPlan(plan).slice("sha256:".length, "sha256:".length + 12)}.jsonl`;
  return join(journalsIn(cli), name);
}

function journalsIn({ places: { env, home } }: Cli): string {
  return join(env["XDG_STATE_HOME"] || join(home, ".local", "state"), "gantry", "journals");
}

/**
 * The journals that are kept on this machine where nobody says otherwise, and the one that --journal names, if it is there.
 * One that cannot be read is told, and passed over.
 */
export async function* journals(cli: Cli): AsyncGenerator<JournalRecord, void> {
  const { get, signal, reporter } = cli;
  const named = get(planOptions.journal);
  const directory = journalsIn(cli);
  const kept = (await names(directory)).filter((name) => name.endsWith(".jsonl")).map((name) => join(directory, name));
  for (const path of new Set([...kept.toSorted(), ...(named === undefined ? [] : [named])])) {
    try {
      const journal = await readBegunJournal(path, { signal });
      if (journal) yield journal;
    } catch (error) {
      if (signal.aborted || !isRegistryError(error)) throw error;
      const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
      if (code !== "ENOENT") reporter.say(plain(`${error.message}: what it could tell of tags is not known`));
    }
  }
}

/** What is in a directory; nothing where there is none that can be read. */
async function names(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch {
    return [];
  }
}
