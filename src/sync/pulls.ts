import type { Client } from "../client.ts";
import { apiHost } from "../oci/reference.ts";
import type { Route } from "../policy/sync/state.ts";

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

/** The registries that count pulls, as far as a budget wants to know. */
export async function countedBy(routes: readonly Route[], from: Client): Promise<ReadonlySet<string>> {
  if (!routes.some(({ rule }) => rule.budget?.pulls !== undefined)) return new Set();
  const counting = registriesOf(routes).map(async (registry) => {
    const known = await from.knownService(registry);
    return known?.provider.quirks.manifestGet === "limited" || from.quota(apiHost(registry)) ? [registry] : [];
  });
  return new Set((await Promise.all(counting)).flat());
}
