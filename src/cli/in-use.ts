import { needed, RegistryError, type Client, type InUse } from "../index.ts";
import type { Cli } from "./cli.ts";
import type { Deletion } from "./deletion.ts";
import { plain } from "./render/text.ts";
import { inUse, inUseCompose, inUseKubernetes, inUseNamespaces } from "./table/in-use-options.ts";

/** What the options, else the configuration, say is in use; nothing is read where they say nothing. What cannot be read throws: then nothing may be deleted. */
export async function imagesInUse({ get, config, places, reporter, signal }: Cli): Promise<readonly InUse[]> {
  const sources = { files: get(inUse), kubernetes: get(inUseKubernetes), compose: get(inUseCompose) };
  const namespaces = get(inUseNamespaces);
  expectCluster(namespaces, sources.kubernetes);
  if (Object.values(sources).every((list) => list.length === 0)) return [];
  const { readInUse } = await import("../index.ts");
  const { kubeconfig } = (await config()).values.kubernetes ?? {};
  const { used, notes } = await readInUse(
    { ...sources, namespaces, ...(kubeconfig !== undefined && { kubeconfig }) },
    { env: places.env, home: places.home, signal },
  );
  for (const note of notes) reporter.say(plain(`note: ${note}`));
  return used;
}

/** Throws INVALID where namespaces are to be looked into, and no cluster is named that has them. */
export function expectCluster([namespace]: readonly string[], clusters: readonly string[]): void {
  if (namespace === undefined || clusters.length > 0) return;
  throw new RegistryError("INVALID", `namespace ${namespace} is to be looked into, and no cluster is named`, {
    hint: "name its context by --in-use-kubernetes, or under inUse.kubernetes; current is the one that kubectl uses",
  });
}

/** Throws REFUSED where something that goes in a place is in use, or needed by what is, or where nobody can tell. */
export async function expectUnused({ steps }: Deletion, place: string, client: Client, cli: Cli): Promise<void> {
  const used = await imagesInUse(cli);
  if (used.length === 0) return;
  const { digestsInUse, rootsInUse } = await import("../plan/index.ts");
  const also = [...digestsInUse(place, used), ...steps.map(({ digest }) => digest)];
  const inventory = await client.inventory(place, { signal: cli.signal, also });
  const [gap] = inventory.gaps;
  if (gap) {
    const why = `${gap.at} cannot be read, so that nobody knows what it needs: ${gap.why}`;
    throw new RegistryError("REFUSED", why, {
      hint: `nothing was deleted; gantry check ${place} tells more`,
    });
  }
  const needs = needed(inventory, rootsInUse(inventory, used));
  for (const { reference, digest } of steps) {
    const need = needs.get(digest);
    if (need) throw new RegistryError("REFUSED", `${reference} stays: ${need.why}`, { hint: "nothing was deleted" });
  }
}
