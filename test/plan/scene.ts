import { onTestFinished } from "vitest";
import { createClient, type Client, type ClientOptions } from "../../src/index.ts";
import { needed } from "../../src/graph/needed.ts";
import type { Inventory } from "../../src/graph/inventory.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { isAbsent } from "../../src/oci/error.ts";
import { withJournal } from "../../src/plan/journal.ts";
import type { ApplyOptions, Applied } from "../../src/plan/apply.ts";
import type { DeleteManifest, DeleteTag, Plan, Step } from "../../src/plan/plan.ts";
import type { Store } from "../../src/store/store.ts";

/** A client without logins and settings, closed when the test is over. */
export function testClient(options: ClientOptions = {}): Client {
  const client = createClient({ env: { HOME: "/nonexistent" }, retryDelay: 1, ...options });
  onTestFinished(() => client.close());
  return client;
}

export function planOf(steps: readonly Step[], more: Partial<Plan> = {}): Plan {
  return { version: 1, kind: "retain", made: "2026-11-20T14:05:00Z", steps, kept: [], notes: [], ...more };
}

/** Applies a plan with a journal. */
export function applyWithJournal(
  client: Client,
  plan: Plan,
  path: string,
  options: ApplyOptions = {},
): Promise<Applied> {
  return withJournal(path, plan, (journal) => client.apply(plan, { ...options, journal }));
}

/** How each step ended, by its id. */
export function outcomes({ endings }: Applied): Readonly<Record<string, string>> {
  return Object.fromEntries([...endings].map(([id, { outcome }]) => [id, outcome]));
}

/** All manifests of a repository with their bytes, and what its tags name. */
export async function stateOf(
  store: Store,
  digests: Iterable<Digest>,
): Promise<{ readonly tags: Readonly<Record<string, string>>; readonly manifests: Readonly<Record<string, string>> }> {
  const tags: Record<string, string> = {};
  const names = await Array.fromAsync(store.tags()).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  for (const tag of names) tags[tag] = (await store.head(tag))!.digest;
  const manifests: Record<string, string> = {};
  for (const digest of digests) {
    const manifest = await store.manifest(digest);
    if (manifest) manifests[digest] = Buffer.from(manifest.bytes).toString("base64");
  }
  return { tags, manifests };
}

/** The deletions of all that the tags which stay do not need, as a planner makes them. */
export function deletionsBut(keep: (tag: string) => boolean, inventory: Inventory): (DeleteTag | DeleteManifest)[] {
  const { repository, tags, manifests } = inventory;
  const roots = [...tags].filter(([tag]) => keep(tag)).map(([, digest]) => ({ digest, why: "kept" }));
  const kept = needed(inventory, roots);
  const gone = [...manifests.values()].filter(({ digest }) => !kept.has(digest));
  const untagged = [...tags].filter(([tag, digest]) => !keep(tag) && kept.has(digest));
  return [
    ...untagged.map(([tag, digest]) => {
      const at = `${repository}:${tag}`;
      return { id: `tag ${tag}`, do: "delete tag", at, digest, why: "old" } as const;
    }),
    ...gone.map(({ digest, tags: its }, i) => {
      const at = `${repository}@${digest}`;
      return { id: `manifest ${i}`, do: "delete manifest", at, digest, tags: its, why: "old" } as const;
    }),
  ];
}
