import type { Inventory } from "../../graph/inventory.ts";
import type { Root } from "../../graph/needed.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Weight } from "./budget.ts";
import type { SyncRule } from "./parse.ts";
import type { Dropped } from "./select.ts";
import type { Origin, Target } from "./template.ts";

/** What was found out for a sync: what its planner decides over. */
export interface SyncState {
  readonly routes: readonly Route[];
  /** By place. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Patterns whose repositories could not be listed. */
  readonly unlisted: readonly {
    readonly rule: SyncRule;
    readonly at: string;
    readonly why: string;
    readonly beside?: boolean;
  }[];
  /** Patterns that no repository fits. */
  readonly unmatched: readonly { readonly rule: SyncRule; readonly at: string; readonly beside?: boolean }[];
  /** How many pulls registries still allow, by their names in references. */
  readonly pulls: ReadonlyMap<string, number>;
  /** The registries that count pulls. */
  readonly counted?: ReadonlySet<string>;
  /** What in a destination must not go, whatever no mapping writes. */
  readonly protect?: (inventory: Inventory) => readonly Root[];
  /** What images weigh that a budget is to pay for, as far as it is known, by `weighedBy`. */
  readonly weights?: ReadonlyMap<string, Weight>;
}

/** One repository or local place of one mapping. */
export interface Route {
  readonly rule: SyncRule;
  readonly origin: Origin;
  readonly images: readonly Wanted[];
  readonly dropped: readonly Dropped[];
  /** Why nothing of it is copied. */
  readonly failed?: string;
  /** Its mapping is not run now, and is read for what it writes alone, which is not to be taken away. */
  readonly beside?: boolean;
}

/** An image that was selected. */
export interface Wanted {
  readonly tag?: string;
  /** Undefined where it was not asked for: a tag that never moves, and is everywhere already. */
  readonly digest?: Digest;
  /** How many manifests are pulled with it, as far as that can be told beforehand. */
  readonly pulls: number;
  /** What has to be attached to it, and is not. */
  readonly lacks: readonly string[];
  readonly failed?: string;
  readonly targets: readonly Goal[];
}

/** An image at one destination. */
export interface Goal extends Target {
  /** What the tag names there; null where it is not there. */
  readonly now?: Digest | null;
  /**
   * `current`: it is there; `fresh`: it was found there whole not long ago; `fixed`: a tag that never moves is there;
   * `bare`: it is there, and not all that is attached to it; `other`: it is not there, or another image is.
   */
  readonly state: "current" | "fresh" | "fixed" | "bare" | "other" | "failed";
  readonly why?: string;
  /** By what it is remembered that the image was found there whole. */
  readonly mark?: string;
}

/** A repository or local place that is written to. */
export interface Destination {
  /** Undefined where it does not list them. */
  readonly tags?: ReadonlySet<string>;
  /** `create`: it is not there, and a push does not make it. */
  readonly is: "there" | "absent" | "create";
  /** All that is in it, and the manifests that copies bring, where something may go. */
  readonly inventory?: Inventory;
  readonly coming?: ReadonlySet<Digest>;
  /** Why that could not be read. */
  readonly failed?: string;
}

/** The routes that write to each repository from which anything is to be taken away. */
export function prunedPlaces(routes: readonly Route[]): ReadonlyMap<string, readonly Route[]> {
  if (!routes.some(({ rule }) => rule.prune)) return new Map();
  const writers = new Map<string, Route[]>();
  for (const route of routes) {
    for (const place of repositoriesOf(route)) {
      const known = writers.get(place);
      if (known) known.push(route);
      else writers.set(place, [route]);
    }
  }
  return new Map([...writers].filter(([, here]) => here.some(({ rule, beside }) => rule.prune && !beside)));
}

/** By what an image's weight is known: what is copied of it, from where. */
export function weighedBy(
  { rule: { platforms, referrers }, origin }: Pick<Route, "rule" | "origin">,
  digest: Digest,
): string {
  return JSON.stringify([origin.place, digest, platforms ?? [], referrers]);
}

/** The repositories that a route writes to; in local places nothing is taken away. */
export function repositoriesOf({ rule, origin }: Route): readonly string[] {
  const any: Digest = `sha256:${"0".repeat(64)}`;
  const templates = rule.to.filter(({ isLocal }) => !isLocal);
  return templates.map((template) => template.target(origin, { tag: "any", digest: any }).place);
}
