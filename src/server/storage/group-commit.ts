import type { DatabaseSync } from "node:sqlite";
import { RegistryError } from "../../oci/error.ts";
import { storageFault } from "./fault.ts";

/** Runs changes of a database in transactions, as many in one as are waiting. */
export interface GroupCommit {
  /** Runs a change; resolves with what it returns once it is durable. It must not leave anything but the database changed. */
  run<T>(change: () => T): Promise<T>;
  /** Resolves once nothing is waiting. */
  settled(): Promise<void>;
}

interface Waiting {
  readonly change: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * Shares one transaction and one `sync` among all changes that come while the last sync is under way, so that the cost
 * of durability is divided by the number of writers, and no sync blocks the process.
 */
export function groupCommit(database: DatabaseSync, sync: () => Promise<void>): GroupCommit {
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  let broken: unknown;

  async function work(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await finish(group);
    }
    working = undefined;
  }

  async function finish(group: readonly Waiting[]): Promise<void> {
    try {
      if (broken !== undefined) throw broken;
      const outcomes = commit(database, group);
      await sync();
      for (const [i, outcome] of outcomes.entries()) settle(group[i]!, outcome);
    } catch (cause) {
      // What the kernel has dropped after a failed sync nobody knows: nothing more is promised until a restart.
      broken ??= cause;
      for (const { reject } of group) reject(brokenStorage(cause));
    }
  }

  return {
    run: <T>(change: () => T) =>
      new Promise<T>((resolve, reject) => {
        waiting.push({ change, resolve: resolve as (value: unknown) => void, reject });
        working ??= work();
      }),
    async settled() {
      await working;
    },
  };
}

/** One transaction for all; where one change fails, each gets a transaction of its own, so that it fails alone. */
function commit(database: DatabaseSync, group: readonly Waiting[]): readonly Outcome[] {
  try {
    const values = transaction(database, () => group.map(({ change }) => change()));
    return values.map((value) => ({ value }));
  } catch (error) {
    if (group.length === 1) return [{ error: storageFault(error) }];
    return group.flatMap((one) => commit(database, [one]));
  }
}

function transaction<T>(database: DatabaseSync, change: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const value = change();
    database.exec("COMMIT");
    return value;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function settle({ resolve, reject }: Waiting, outcome: Outcome): void {
  if ("error" in outcome) reject(outcome.error);
  else resolve(outcome.value);
}

function brokenStorage(cause: unknown): RegistryError {
  return new RegistryError("UNAVAILABLE", "the registry's storage failed to make a change durable", {
    hint: "see what the disk says, then restart the registry",
    cause,
  });
}
