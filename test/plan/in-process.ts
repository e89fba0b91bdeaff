import { onTestFinished } from "vitest";
import type { Inventory } from "../../src/graph/inventory.ts";
import { knownManifests } from "../../src/graph/known.ts";
import { readInventory } from "../../src/graph/read-inventory.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { parseLocation } from "../../src/oci/location.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { applyPlan, type Applied, type Journal } from "../../src/plan/apply.ts";
import type { Hands } from "../../src/plan/hands.ts";
import { formatLine, headerOf, readLines, type JournalRecord } from "../../src/plan/journal-lines.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { deleteEach } from "../../src/provider/protocol.ts";
import { createRegistry, memoryStorage } from "../../src/server/index.ts";
import { remoteStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/store.ts";
import { stepCopier, type CopySpot } from "../../src/sync/copy-steps.ts";

/** Where plans are applied, with journals. */
export interface Place {
  readonly host: string;
  store(repository: string): Store;
  inventory(place: string): Promise<Inventory>;
  /** Applies a plan, by other hands where they are given, and goes on in the journal of that name. */
  apply(plan: Plan, journal: string, by?: Hands): Promise<Applied>;
  journal(name: string): Promise<JournalRecord>;
}

/**
 * A registry in this process with its hands, without a socket, and journals in memory, each line of which is read again.
 * `onDelete` is told of each tag and manifest before it is deleted; what it throws, the registry does.
 */
export function inProcess(onDelete: (ref: string) => void = () => {}): Place & { readonly hands: Hands } {
  const host = "registry.example";
  const registry = createRegistry({ storage: memoryStorage() });
  onTestFinished(() => registry.close());
  const stores = new Map<string, Store>();
  const storeOf = (repository: string): Store => {
    const store = stores.get(repository) ?? remoteStore({ transport: registry.transport, registry: host, repository });
    stores.set(repository, store);
    return store;
  };
  const open = (at: string): CopySpot => {
    const location = parseLocation(at);
    if (location.transport !== "registry") throw new RegistryError("INVALID", `${at} is in no registry`);
    const { registry: name, repository, tag, digest } = location.reference;
    const spot = { place: `${name}/${repository}`, store: storeOf(repository), registry: name, repository };
    return { ...spot, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
  };
  const known = knownManifests();
  const cannot = (): Promise<never> => Promise.reject(new RegistryError("UNSUPPORTED", "not here"));
  const hands: Hands = {
    open,
    inventory: (place, call) => readInventory(open(place).store, { ...call, known }),
    async deleteTag(place, tag, call) {
      onDelete(tag);
      await open(place).store.deleteTag(tag, call);
    },
    async *deleteManifests(place, digests, call) {
      const { store } = open(place);
      const deleting = {
        async deleteManifest(digest: Digest) {
          onDelete(digest);
          await store.deleteManifest(digest, call);
        },
      };
      for await (const one of deleteEach(deleting, digests, call)) {
        known.forget(store.name, one.digest);
        yield one;
      }
    },
    createRepository: cannot,
    deleteRepository: cannot,
    immutability: cannot,
    setImmutability: cannot,
    copy: stepCopier({ source: open, destination: open }),
  };
  const journals = new Map<string, string[]>();
  return {
    host,
    hands,
    store: storeOf,
    inventory: (place) => hands.inventory(place),
    apply(plan, name, by = hands) {
      const lines = journals.get(name) ?? [];
      journals.set(name, lines);
      lines.push(formatLine(headerOf(plan)));
      const journal: Journal = {
        async begin(step, before) {
          lines.push(formatLine({ line: "begin", step, before }));
        },
        end(step, ending) {
          const told = { ...ending, error: undefined };
          lines.push(formatLine({ line: "end", id: step.id, ...told }));
        },
      };
      return applyPlan(plan, by, { journal });
    },
    journal: async (name) => (await readLines(name, textsOf(journals.get(name) ?? [])))!,
  };
}

async function* textsOf(lines: readonly string[]): AsyncGenerator<string, void> {
  yield* lines;
}
