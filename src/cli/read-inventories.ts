import { isRegistryError, RegistryError, type Client, type Digest, type Inventory, type Note } from "../index.ts";
import type { Cli } from "./cli.ts";
import { inOrder } from "./in-order.ts";
import { connectionOf, repositoriesAt, type RepositoriesAt } from "./repositories-at.ts";

/** Repositories that were read, and why others were not. */
export interface Inventories {
  readonly inventories: readonly Inventory[];
  readonly unread: readonly Note[];
}

/**
 * Reads all repositories of some places, each once, several at a time. One that cannot be read stops no other; where none
 * can, the first failure is thrown.
 */
export async function readInventories(
  places: readonly RepositoriesAt[],
  client: Client,
  cli: Pick<Cli, "get" | "signal">,
  options: { readonly created: boolean; readonly also?: (repository: string) => Iterable<Digest> },
): Promise<Inventories> {
  const { signal } = cli;
  const failures: { readonly at: string; readonly error: unknown }[] = [];
  const attempt = async <T>(at: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isRegistryError(error)) throw error;
      failures.push({ at, error });
      return undefined;
    }
  };
  const names = new Set<string>();
  for (const at of places) {
    await attempt(connectionOf(at), async () => {
      for await (const name of repositoriesAt(at, client, cli)) names.add(name);
    });
  }
  const inventories: Inventory[] = [];
  const read = inOrder(each([...names].sort()), (name) =>
    attempt(name, async () => {
      const inventory = await client.inventory(name, {
        signal,
        created: options.created,
        ...(options.also && { also: options.also(name) }),
      });
      // Nothing in it, or no such repository: its tags tell.
      if (inventory.manifests.size === 0) await Array.fromAsync(client.open(name).store.tags({ signal }));
      return inventory;
    }),
  );
  for await (const inventory of read) if (inventory) inventories.push(inventory);
  if (inventories.length === 0 && failures.length > 0) throw failures[0]!.error;
  if (names.size === 0) throw new RegistryError("NAME_UNKNOWN", "there are no such repositories");
  return { inventories, unread: failures.map(({ at, error }) => ({ level: "refused", at, message: wordsOf(error) })) };
}

const wordsOf = (error: unknown): string =>
  `it cannot be read, and is left alone: ${error instanceof Error ? error.message : String(error)}`;

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}
