import { heldStore } from "./bundle/held-store.ts";
import { planBundle } from "./bundle/plan-bundle.ts";
import { bundleManifest, openBundle } from "./bundle/read.ts";
import { emptyHeld, heldOf, type Held, type Holdings } from "./bundle/record.ts";
import { writeBundle, type WriteBundleOptions, type WrittenBundle } from "./bundle/write.ts";
import { placeOfImage } from "./bundle/manifest.ts";
import type { Client, Opened } from "./client.ts";
import { isAbsent, RegistryError } from "./oci/error.ts";
import { parseLocation, type Location } from "./oci/location.ts";
import type { Note, Plan } from "./plan/plan.ts";
import { inventoryOf } from "./plans.ts";
import type { SyncRule } from "./policy/sync/parse.ts";
import type { Call } from "./store/store.ts";
import type { PlanSyncOptions } from "./sync/plan-sync.ts";

/** Writes down what repositories have; one that is not there has nothing. Throws where one cannot be read whole. */
export async function recordHoldings(
  client: Client,
  places: readonly string[],
  { now, ...call }: Call & { readonly now: Date },
): Promise<Holdings> {
  const read = async (place: string): Promise<Held> => {
    try {
      const inventory = await inventoryOf(client, place, call);
      const [gap] = inventory.gaps;
      if (gap) throw new RegistryError("CORRUPT", `${gap.at} cannot be read: ${gap.why}`);
      return heldOf(inventory);
    } catch (error) {
      if (isAbsent(error)) return emptyHeld;
      throw error;
    }
  };
  const repositories: [string, Held][] = [];
  for (const place of [...new Set(places)].sort()) repositories.push([place, await read(place)]);
  return { version: 1, kind: "holdings", made: now.toISOString(), repositories: Object.fromEntries(repositories) };
}

/**
 * Plans what a sync has to do at repositories that are only known by what was written down: nobody asks them. What is not
 * written down is not there. Local places are left out; nothing is pruned, nor kept as a backup, as nobody knows the
 * destination well enough for that: notes say so. Throws INVALID where all destinations are local places.
 */
export async function planSyncOffline(
  client: Client,
  rules: readonly SyncRule[],
  have: Holdings | undefined,
  options: Omit<PlanSyncOptions, "cache" | "source">,
): Promise<Plan> {
  const offline = { ...client, open: openHeld };
  const kept = toRegistries(rules).map((rule): SyncRule => {
    const { prune: _, backup: __, ...rest } = rule;
    return rest;
  });
  const { planSync } = await import("./sync/plan-sync.ts");
  const { plan } = await planSync(offline, kept, { now: new Date(), ...options, source: client });
  const notes = rules.flatMap(({ name, to, prune, backup }): Note[] => {
    const lost = [...(prune ? ["prune"] : []), ...(backup ? ["backup"] : [])];
    const local = to.filter(({ isLocal }) => isLocal).map(({ text }) => text);
    const messages = [
      ...(lost.length > 0 ? [`does nothing about ${lost.join(" and ")}: nobody can look at the destination`] : []),
      ...(local.length > 0 ? [`brings nothing to ${local.join(" and ")}, but to registries alone`] : []),
    ];
    return messages.map((message) => ({ level: "warning", rule: name, message: `${name}: a bundle ${message}` }));
  });
  return { ...plan, notes: [...notes, ...plan.notes] };

  function openHeld(text: string | Location): Opened {
    const location = typeof text === "string" ? parseLocation(text) : text;
    if (location.transport !== "registry") return client.open(location);
    const { registry, repository, tag, digest } = location.reference;
    const place = `${registry}/${repository}`;
    const store = heldStore(place, have?.repositories[place] ?? emptyHeld);
    const ref = digest ?? tag;
    return { location, name: place, store, ...(ref !== undefined && { ref }) };
  }
}

/** The rules with what they copy to registries. Throws INVALID where they copy nothing there. */
function toRegistries(rules: readonly SyncRule[]): readonly SyncRule[] {
  const remote = rules
    .map((rule) => ({ ...rule, to: rule.to.filter(({ isLocal }) => !isLocal) }))
    .filter(({ to }) => to.length > 0);
  if (remote.length === 0)
    throw new RegistryError("INVALID", "a bundle is for registries, and no mapping has a destination in one", {
      hint: "copy to a local place without a bundle, and carry that",
    });
  return remote;
}

/** Writes the copies of a plan into a bundle: see `writeBundle`. */
export function makeBundle(
  client: Client,
  plan: Plan,
  path: string,
  options: Omit<WriteBundleOptions, "open">,
): Promise<WrittenBundle> {
  return writeBundle(plan, path, { ...options, open: (from) => client.open(from, "pull").store });
}

/** What a bundle does at its destinations, or at another registry: see `planBundle`. Throws INVALID or CORRUPT for what is no whole bundle. */
export async function planOfBundle(
  client: Client,
  path: string,
  options: Call & { readonly to?: string; readonly now: Date },
): Promise<Plan> {
  const { signal } = options;
  const call: Call = signal ? { signal } : {};
  const bundle = await openBundle(path, call);
  try {
    return await planBundle(bundle.manifest, {
      ...options,
      path,
      open: (place) => client.open(place).store,
      async needsCreation(place) {
        const { provider } = await client.service(place.slice(0, place.indexOf("/")), call);
        return provider.quirks.createOnPush !== "yes" && provider.abilities.createRepository.how !== "impossible";
      },
    });
  } finally {
    await bundle.close();
  }
}

/** The repositories that a bundle is for. Throws INVALID or CORRUPT for what is none. */
export const placesOfBundle = async (path: string, call: Call = {}): Promise<readonly string[]> => [
  ...new Set((await bundleManifest(path, call)).images.map(({ at }) => placeOfImage(at).place)),
];

/** The repositories that a plan copies to. Throws INVALID for what is not in a registry. */
export const placesOfPlan = ({ steps }: Plan): readonly string[] => [
  ...new Set(steps.flatMap((step) => (step.do === "copy" ? [placeOfImage(step.at).place] : []))),
];

/** The repositories that rules copy to; where sources are named by a pattern, all of the destination that may have come from there. */
export async function placesOfRules(
  client: Client,
  rules: readonly SyncRule[],
  call: Call = {},
): Promise<readonly string[]> {
  const digest = `sha256:${"0".repeat(64)}` as const;
  const found = toRegistries(rules).flatMap(({ from, to }) =>
    from.flatMap((one) =>
      to.map(async (template): Promise<readonly string[]> => {
        if (one.kind === "place") return [placeOfImage(template.target(one.origin, { tag: "any", digest }).at).place];
        const host = template.text.slice(0, template.text.indexOf("/"));
        const prefix = template.text.slice(host.length + 1).replace(/\{.*$/s, "");
        const names = await Array.fromAsync(client.registry(host).repositories(prefix, call));
        return names.map((name) => `${host}/${name}`);
      }),
    ),
  );
  return [...new Set((await Promise.all(found)).flat())].sort();
}
