import { needed } from "../../graph/needed.ts";
import type { Digest } from "../../oci/digest.ts";
import { isDigestTag } from "../../oci/reference.ts";
import type { Kept, Note } from "../../plan/plan.ts";
import { fitsOne } from "../pattern.ts";
import type { SyncRule } from "./parse.ts";
import { placesOf, type Destination, type Route, type SyncState } from "./state.ts";

/** What is taken away at one place, and what of it is kept, and why. */
export interface Pruning {
  readonly tags: readonly { readonly tag: string; readonly digest: Digest; readonly rule: string }[];
  readonly manifests: readonly {
    readonly digest: Digest;
    readonly tags: readonly string[];
    readonly why: string;
    readonly rule: string;
  }[];
  readonly kept: readonly Kept[];
  readonly notes: readonly Note[];
}

const nothing: Pruning = { tags: [], manifests: [], kept: [], notes: [] };

/** The tags of a place that no mapping writes, by the rule that takes them away; and those that stay though, with the reason. */
export function strays(
  place: string,
  state: SyncState,
): { readonly going: ReadonlyMap<string, SyncRule>; readonly kept: readonly Kept[] } {
  const routes = state.routes.filter((route) => placesOf(route).includes(place));
  const wanted = new Set(routes.flatMap(({ images }) => images.flatMap(({ targets }) => targets.map(({ at }) => at))));
  const going = new Map<string, SyncRule>();
  const kept: Kept[] = [];
  for (const tag of [...(state.destinations.get(place)?.tags ?? [])].toSorted()) {
    const at = `${place}:${tag}`;
    if (wanted.has(at) || isDigestTag(tag)) continue;
    const rule = routes.find(({ rule: { prune } }) => prune && (!prune.only || fitsOne(prune.only, tag)))?.rule;
    if (!rule) continue;
    const protector = routes
      .flatMap((route) => route.rule.prune?.protect ?? [])
      .find((pattern) => pattern.fits(tag))?.text;
    if (protector !== undefined) kept.push({ at, why: `${protector} protects it`, rule: rule.name });
    else if (routes.some((route) => route.rule.backup?.fits(tag)))
      kept.push({ at, why: "it is a backup", rule: rule.name });
    else going.set(tag, rule);
  }
  return { going, kept };
}

/**
 * What goes at a place because no mapping writes it: tags, and with its last tag an image with all that nothing else there
 * needs. Nothing goes where a source could not be read or has nothing, or where more would go than may.
 */
export function pruneAt(place: string, state: SyncState): Pruning {
  const { going, kept } = strays(place, state);
  if (going.size === 0) return { ...nothing, kept };
  const destination = state.destinations.get(place)!;
  const rule = [...going.values()][0]!;
  const why = hindrance(place, going, destination, state);
  if (why !== undefined) {
    const message = `${going.size} tag${going.size === 1 ? "" : "s"} would go, and nothing does: ${why}`;
    return { ...nothing, kept, notes: [{ level: "refused", at: place, message: `${rule.name}: ${message}` }] };
  }
  const inventory = destination.inventory!;
  const staying = [...inventory.tags].filter(([tag]) => !going.has(tag) && !isDigestTag(tag));
  const stays = needed(
    inventory,
    staying.map(([tag, digest]) => ({ digest, why: `it has the tag ${tag}` })),
  );
  const tags: Pruning["tags"][number][] = [];
  const gone = new Map<Digest, Pruning["manifests"][number]>();
  for (const [tag, by] of going) {
    const digest = inventory.tags.get(tag);
    if (!digest) continue;
    if (stays.has(digest)) {
      tags.push({ tag, digest, rule: by.name });
      continue;
    }
    for (const [below, need] of needed(inventory, [{ digest, why: `no mapping writes ${tag}` }])) {
      if (stays.has(below) || gone.has(below)) continue;
      const reason = need.as === "root" ? need.why : `it belongs to ${digest}, which goes`;
      gone.set(below, { digest: below, tags: inventory.manifests.get(below)!.tags, why: reason, rule: by.name });
    }
  }
  return { tags, manifests: [...gone.values()], kept, notes: [] };
}

/** Why nothing may go. */
function hindrance(
  place: string,
  going: ReadonlyMap<string, SyncRule>,
  { tags, inventory, failed }: Destination,
  { routes, unlisted }: SyncState,
): string | undefined {
  const here = routes.filter((route) => placesOf(route).includes(place));
  const broken = here.find(isIncomplete);
  if (broken) return `${broken.origin.place} could not be read whole`;
  const lost = unlisted.find(({ rule }) => here.some((route) => route.rule === rule));
  if (lost) return `the repositories ${lost.at} could not be listed`;
  if (here.every(({ images }) => images.length === 0)) return "no source has a tag that is selected";
  if (failed !== undefined) return failed;
  const gap = inventory?.gaps[0];
  if (gap) return `${gap.at} cannot be read, so that nobody knows what it needs: ${gap.why}`;
  if (!inventory) return "only in a registry is anything taken away";
  const all = [...tags!].filter((tag) => !isDigestTag(tag)).length;
  for (const { prune } of new Set(going.values())) {
    const { maxDelete, atLeast = 0 } = prune!;
    const most = typeof maxDelete === "string" ? Math.floor((Number.parseFloat(maxDelete) / 100) * all) : maxDelete;
    if (most !== undefined && going.size > most) return `at most ${maxDelete} of ${all} may go`;
    if (all - going.size < atLeast) return `of ${all}, at least ${atLeast} have to stay`;
  }
  return undefined;
}

const isIncomplete = ({ failed, images }: Route): boolean =>
  failed !== undefined || images.some((image) => image.failed !== undefined);
