import type { SyncRule } from "./parse.ts";
import { syncPlaces } from "./places.ts";

/**
 * The rules that have to be read where only some are run: those, and where one of them prunes, all others that write to the
 * same registries, as what these bring is not to be taken away.
 */
export function withNeighbours(running: readonly SyncRule[], all: readonly SyncRule[]): readonly SyncRule[] {
  const registries = (rule: SyncRule): readonly string[] => syncPlaces([rule]).to.map((place) => place.split("/")[0]!);
  const pruned = new Set(running.filter(({ prune }) => prune).flatMap(registries));
  return [
    ...running,
    ...all.filter((rule) => !running.includes(rule) && registries(rule).some((host) => pruned.has(host))),
  ];
}
