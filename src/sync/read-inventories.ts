import type { Digest } from "../oci/digest.ts";
import { spared, strays } from "../policy/sync/prune.ts";
import { prunedPlaces, type Destination, type SyncState } from "../policy/sync/state.ts";
import { messageOf } from "./message.ts";
import type { Reading } from "./read-sync.ts";

/** The repositories from which something would go. */
function losing(state: SyncState): ReadonlySet<string> {
  const pruned = prunedPlaces(state.routes);
  const places = [...state.destinations].filter(([place, destination]) => {
    const routes = pruned.get(place) ?? [];
    const { going } = strays(place, routes, destination);
    return going.size > 0 && spared(place, routes, going, destination, state) === undefined;
  });
  return new Set(places.map(([place]) => place));
}

/** With all that is in the destinations from which something would go, and what of it must not. */
export async function withInventories(state: SyncState, reading: Reading): Promise<SyncState> {
  const { client, signal, guards } = reading;
  const places = losing(state);
  if (places.size === 0) return state;
  const { also, protect } = (await guards?.()) ?? {};
  const read = [...state.destinations].map(async ([place, destination]): Promise<[string, Destination]> => {
    if (!places.has(place)) return [place, destination];
    try {
      const coming = await comingTo(place, state, reading);
      const inventory = await client.inventory(place, {
        ...(signal && { signal }),
        ...(also && { also: also(place) }),
      });
      return [place, { ...destination, coming, inventory }];
    } catch (error) {
      if (signal?.aborted) throw error;
      return [place, { ...destination, failed: messageOf(error) }];
    }
  });
  return { ...state, destinations: new Map(await Promise.all(read)), ...(protect && { protect }) };
}

/** The manifests that copies bring to a place: what of them is there stays. */
async function comingTo(place: string, { routes }: SyncState, reading: Reading): Promise<ReadonlySet<Digest>> {
  const parts = routes.flatMap(({ rule, origin, images }) =>
    images.map(async ({ digest, targets }) => {
      const comes = targets.some((goal) => goal.place === place && (goal.state === "other" || goal.state === "bare"));
      return digest && comes ? reading.source(origin).parts(digest, rule.platforms) : [];
    }),
  );
  return new Set((await Promise.all(parts)).flat());
}
