import type { Client } from "../client.ts";
import { apiHost } from "../oci/reference.ts";
import type { Goal, Route, Wanted } from "../policy/sync/state.ts";
import type { At } from "./read-images.ts";

const registriesOf = (routes: readonly Route[]): readonly string[] => [
  ...new Set(routes.flatMap(({ origin: { registry } }) => registry ?? [])),
];

/** How many pulls the sources still allow, by their names in references, as far as they have told. */
export function pullsLeft(routes: readonly Route[], from: Client): ReadonlyMap<string, number> {
  return new Map(
    registriesOf(routes).flatMap((registry) => {
      const quota = from.quota(apiHost(registry));
      return quota ? [[registry, quota.remaining] as const] : [];
    }),
  );
}

/**
 * Has a registry tell how many pulls it allows, where some are to be left and it has not, as where a service's list says what
 * tags name: by a HEAD of one of the images, which is no pull. What is wrong with that one comes up where it is copied.
 */
export async function askForPulls({ rule, origin, reading }: At, images: readonly Wanted[]): Promise<void> {
  const { registry, place } = origin;
  const { from, signal } = reading;
  if (rule.quotaReserve === undefined || registry === undefined || from.quota(apiHost(registry))) return;
  const isWanted = ({ state }: Goal): boolean => state === "other" || state === "bare";
  const digest = images.find((image) => image.digest && image.targets.some(isWanted))?.digest;
  if (digest === undefined) return;
  await from
    .open(place)
    .store.head(digest, { ...(signal && { signal }) })
    .catch(() => {});
  signal?.throwIfAborted();
}

/** The registries that count pulls, as far as a budget wants to know. */
export async function countedBy(routes: readonly Route[], from: Client): Promise<ReadonlySet<string>> {
  if (!routes.some(({ rule }) => rule.budget?.pulls !== undefined)) return new Set();
  const counting = registriesOf(routes).map(async (registry) => {
    const known = await from.knownService(registry);
    return known?.provider.quirks.manifestGet === "limited" || from.quota(apiHost(registry)) ? [registry] : [];
  });
  return new Set((await Promise.all(counting)).flat());
}
