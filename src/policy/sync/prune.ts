import type { Inventory } from "../../graph/inventory.ts";
import { needed, type Root } from "../../graph/needed.ts";
import type { Digest } from "../../oci/digest.ts";
import { isDigestTag } from "../../oci/reference.ts";
import type { Kept, Note } from "../../plan/plan.ts";
import { fitsOne } from "../pattern.ts";
import type { SyncRule } from "./parse.ts";
import { type Destination, type Route, type SyncState } from "./state.ts";

/** What is taken away at one place, and what of it is kept, and why. */
export interface Pruning {
  readonly tags: readonly { readonly tag: string; readonly digest: Digest; readonly rule: string }[];
  readonly manifests: readonly {
    readonly digest: Digest;
    readonly tags: readonly string[];
    readonly why: string;
    readonly rule: string;
    /** What it belongs to, and goes after. */
    readonly owner?: Digest;
  }[];
  readonly kept: readonly Kept[];
  readonly notes: readonly Note[];
}

const nothing: Pruning = { tags: [], manifests: [], kept: [], notes: [] };

/** The tags of a place that no mapping writes, by the rule that takes them away; and those that stay though, with the reason. */
export function strays(
  place: string,
  routes: readonly Route[],
  destination: Destination | undefined,
): { readonly going: ReadonlyMap<string, SyncRule>; readonly kept: readonly Kept[] } {
  const wanted = new Set(routes.flatMap(({ images }) => images.flatMap(({ targets }) => targets.map(({ at }) => at))));
  const protecting = routes.flatMap(({ rule: { prune } }) => prune?.protect ?? []);
  const backups = routes.flatMap(({ rule: { backup } }) => backup ?? []);
  const going = new Map<string, SyncRule>();
  const kept: Kept[] = [];
  for (const tag of [...(destination?.tags ?? [])].toSorted()) {
    const at = `${place}:${tag}`;
    if (wanted.has(at) || isDigestTag(tag)) continue;
    const rule = routes.find(
      ({ rule: { prune }, beside }) => prune && !beside && (!prune.only || fitsOne(prune.only, tag)),
    )?.rule;
    if (!rule) continue;
    const protector = protecting.find((pattern) => pattern.fits(tag))?.text;
    if (protector !== undefined) kept.push({ at, why: `${protector} protects it`, rule: rule.name });
    else if (backups.some((backup) => backup.fits(tag))) kept.push({ at, why: "it is a backup", rule: rule.name });
    else going.set(tag, rule);
  }
  return { going, kept };
}

/**
 * What goes at a place because no mapping writes it: tags, and with its last tag an image with all that nothing else there
 * needs. Nothing goes where a source could not be read or has nothing, or where more would go than may.
 */
export function pruneAt(place: string, routes: readonly Route[], state: SyncState): Pruning {
  const destination = state.destinations.get(place);
  const { going: unwritten, kept } = strays(place, routes, destination);
  if (unwritten.size === 0 || !destination) return { ...nothing, kept };
  const rule = [...unwritten.values()][0]!;
  const why = spared(place, routes, unwritten, destination, state) ?? unread(destination);
  if (why !== undefined) {
    const message = `${unwritten.size} tag${unwritten.size === 1 ? "" : "s"} would go, and nothing does: ${why}`;
    return {
      ...nothing,
      kept,
      notes: [{ level: "refused", at: place, rule: rule.name, message: `${rule.name}: ${message}` }],
    };
  }
  const inventory = destination.inventory!;
  const guards = state.protect?.(inventory) ?? [];
  const { going, guarded } = withoutGuarded(place, unwritten, inventory, guards);
  const staying = [...inventory.tags].filter(([tag]) => !going.has(tag) && !isDigestTag(tag));
  const stays = needed(inventory, [
    ...guards,
    ...staying.map(([tag, digest]) => ({ digest, why: `it has the tag ${tag}` })),
    ...[...(destination.coming ?? [])].map((digest) => ({ digest, why: "it is copied" })),
  ]);
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
      const owner = need.as === "root" || need.as === "subject" ? {} : { owner: need.by };
      const { tags: names } = inventory.manifests.get(below)!;
      gone.set(below, { digest: below, tags: names, why: reason, rule: by.name, ...owner });
    }
  }
  return { tags, manifests: [...gone.values()], kept: [...kept, ...guarded], notes: [] };
}

/** Without the tags of images that must not go, which are kept. */
function withoutGuarded(
  place: string,
  unwritten: ReadonlyMap<string, SyncRule>,
  { tags }: Inventory,
  guards: readonly Root[],
): { readonly going: ReadonlyMap<string, SyncRule>; readonly guarded: readonly Kept[] } {
  const whys = new Map(guards.map(({ digest, why }) => [digest, why]));
  const going = new Map(unwritten);
  const guarded = [...unwritten].flatMap(([tag, { name: rule }]): readonly Kept[] => {
    const digest = tags.get(tag);
    const why = digest && whys.get(digest);
    if (why === undefined) return [];
    going.delete(tag);
    return [{ at: `${place}:${tag}`, digest, why, rule }];
  });
  return { going, guarded };
}

/** Why nothing may go at a place, whatever is in it. */
export function spared(
  place: string,
  here: readonly Route[],
  going: ReadonlyMap<string, SyncRule>,
  { tags }: Destination,
  { unlisted }: SyncState,
): string | undefined {
  const broken = here.find(isIncomplete);
  if (broken) return `${broken.origin.place} could not be read whole`;
  const lost = unlisted.find(({ rule }) => here.some((route) => route.rule === rule));
  if (lost) return `the repositories ${lost.at} could not be listed`;
  if (here.every(({ images }) => images.length === 0)) return "no source has a tag that is selected";
  const empty = here.find(({ images, dropped }) => images.length + dropped.length === 0);
  if (empty) return `${empty.origin.place} has no tags any more`;
  const own = here.find(({ origin, beside }) => origin.place === place && !beside);
  if (own) return "it is a source, too";
  const all = [...tags!].filter((tag) => !isDigestTag(tag)).length;
  for (const { prune } of new Set(going.values())) {
    const { maxDelete, atLeast = 0 } = prune!;
    const most = typeof maxDelete === "string" ? Math.floor((Number.parseFloat(maxDelete) / 100) * all) : maxDelete;
    if (most !== undefined && going.size > most) return `at most ${maxDelete} of ${all} may go`;
    if (all - going.size < atLeast) return `of ${all}, at least ${atLeast} have to stay`;
  }
  return undefined;
}

/** Why nobody knows what else would go. */
function unread({ inventory, failed }: Destination): string | undefined {
  if (failed !== undefined) return failed;
  const [gap] = inventory!.gaps;
  return gap && `${gap.at} cannot be read, so that nobody knows what it needs: ${gap.why}`;
}

const isIncomplete = ({ failed, images }: Route): boolean =>
  failed !== undefined || images.some((image) => image.failed !== undefined);
