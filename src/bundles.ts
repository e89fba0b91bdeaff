import { heldStore } from "./bundle/held-store.ts";
import { planBundle } from "./bundle/plan-bundle.ts";
import { openBundle } from "./bundle/read.ts";
import { emptyHeld, heldOf, type Held, type Holdings } from "./bundle/record.ts";
import { writeBundle, type WriteBundleOptions, type WrittenBundle } from "./bundle/write.ts";
import { placeOfImage } from "./bundle/manifest.ts";
import type { Client } from "./client.ts";
import { RegistryError } from "./oci/error.ts";
import { isAbsent } from "./oci/error.ts";
import { parseLocation } from "./oci/location.ts";
import type { Plan } from "./plan/plan.ts";
import { inventoryOf } from "./plans.ts";
import type { Call } from "./store/store.ts";

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

/** A client for which these repositories are as they were written down, and all others of their registries empty: nobody asks them. */
export function clientOfHoldings(client: Client, places: ReadonlySet<string>, have: Holdings | undefined): Client {
  return {
    ...client,
    open(text, how) {
      const location = typeof text === "string" ? parseLocation(text) : text;
      if (how === "pull" || location.transport !== "registry") return client.open(text, how);
      const { registry, repository, tag, digest } = location.reference;
      const place = `${registry}/${repository}`;
      if (!places.has(place)) return client.open(text, how);
      const held = have?.repositories[place] ?? emptyHeld;
      const ref = digest ?? tag;
      return { location, name: place, store: heldStore(place, held), ...(ref !== undefined && { ref }) };
    },
  };
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

/** The repositories that a plan copies to. Throws INVALID for what is not in a registry. */
export const placesOfPlan = ({ steps }: Plan): readonly string[] => [
  ...new Set(steps.flatMap((step) => (step.do === "copy" ? [placeOfImage(step.at).place] : []))),
];
