import type { Client } from "../client.ts";
import { semaphore } from "../graph/semaphore.ts";
import type { Guards } from "../plan/apply.ts";
import type { Weight } from "../policy/sync/budget.ts";
import type { From } from "../policy/sync/origin.ts";
import type { SyncRule } from "../policy/sync/parse.ts";
import type { Unweighed } from "../policy/sync/plan.ts";
import { repositoriesOf, type Destination, type Route, type SyncState } from "../policy/sync/state.ts";
import type { Origin } from "../policy/sync/template.ts";
import type { Call } from "../store/store.ts";
import type { SyncCache } from "./cache.ts";
import type { Handed } from "./handed.ts";
import { messageOf } from "./message.ts";
import { oneForm } from "./one-form.ts";
import { countedBy, pullsLeft } from "./pulls.ts";
import { readImages, unknownDigest } from "./read-images.ts";
import { withInventories } from "./read-inventories.ts";
import { only, select } from "./selection.ts";
import { destinationView, type DestinationView } from "./destination-view.ts";
import { sourceView, type SourceView } from "./source-view.ts";

export interface ReadSyncOptions extends Call {
  readonly now: Date;
  /** What was found whole before is not looked at again. */
  readonly cache?: SyncCache;
  /** Opens the sources, where they need other credentials than the destinations. */
  readonly source?: Client;
  /** Looks into everything, whatever the cache says. */
  readonly recheck?: boolean;
  /** Tells what must not go, where something would go. */
  readonly guards?: () => Promise<Guards>;
  /** Keeps what the copies of the plan will need. */
  readonly handed?: Handed;
  /** The rules that are run; the others are read for what they write. All, unless told. */
  readonly running?: readonly SyncRule[];
}

/** What was found out, and what finds out what an image weighs. */
export interface ReadSync {
  readonly state: SyncState;
  readonly weigh: (image: Unweighed) => Promise<Weight>;
}

/** How many questions are under way at a time on either side; how many of them a registry gets, the transport decides. */
const atOnce = 64;

/**
 * Finds out all that has to be known to decide what a sync has to do, with as few requests as that takes. What cannot be
 * read is told in the state, and stops nothing else.
 */
export async function readSync(
  client: Client,
  rules: readonly SyncRule[],
  options: ReadSyncOptions,
): Promise<ReadSync> {
  const reading = readings(client, options);
  const unlisted: SyncState["unlisted"][number][] = [];
  const unmatched: SyncState["unmatched"][number][] = [];
  const routes = await Promise.all(
    rules.map(async (rule) => {
      const besides = options.running?.includes(rule) === false ? { beside: true } : {};
      const origins = await Promise.all(
        rule.from.map(async (from) => {
          if (from.kind === "place") return [from];
          const at = `${from.registry}/${from.repositories.text}`;
          try {
            const found = await reading.fitting(from);
            if (found.length === 0) unmatched.push({ rule, at, ...besides });
            return found;
          } catch (error) {
            if (options.signal?.aborted) throw error;
            unlisted.push({ rule, at, why: messageOf(error), ...besides });
            return [];
          }
        }),
      );
      const routes = withoutCopies(rule, origins.flat()).map(({ origin, ref }) =>
        readRoute(rule, origin, ref, reading),
      );
      return (await Promise.all(routes)).map((route): Route => ({ ...route, ...besides }));
    }),
  );
  const state = {
    routes: routes.flat(),
    destinations: await reading.destinations(),
    unlisted,
    unmatched,
    pulls: pullsLeft(routes.flat(), reading.from),
    counted: await countedBy(routes.flat(), reading.from),
  };
  return {
    state: await withInventories(state, reading),
    async weigh({ route: { rule, origin }, digest }) {
      try {
        return await reading.source(origin).weight(digest, rule);
      } catch (error) {
        if (options.signal?.aborted) throw error;
        return { failed: messageOf(error) };
      }
    },
  };
}

/** A repository or local place, and the one image of it where it is for one. */
interface Source {
  readonly origin: Origin;
  readonly ref?: string;
}

type Patterned = Extract<From, { kind: "pattern" }>;

/** Without repositories that the rule itself makes of others: a pattern that fits its own copies would copy these, too, and so on. */
function withoutCopies(rule: SyncRule, sources: readonly Source[]): readonly Source[] {
  if (rule.from.every(({ kind }) => kind === "place")) return sources;
  const makers = new Map<string, string>();
  for (const { origin } of sources) {
    for (const template of rule.to) {
      const { place } = template.target(origin, { tag: "any", digest: unknownDigest });
      if (place !== origin.place) makers.set(place, origin.place);
    }
  }
  return sources.filter(({ origin: { place } }) => !makers.has(place));
}

export interface Reading extends Omit<ReadSyncOptions, "source" | "running"> {
  readonly client: Client;
  readonly from: Client;
  fitting(from: Patterned): Promise<readonly Source[]>;
  source(origin: Origin): SourceView;
  destination(place: string): DestinationView;
  destinations(): Promise<ReadonlyMap<string, Destination>>;
}

function readings(client: Client, options: ReadSyncOptions): Reading {
  const from = options.source ?? client;
  const call: Call = options.signal ? { signal: options.signal } : {};
  // Of many repositories, the destinations of the first are asked while the sources of the last are.
  const rooms = { sources: semaphore(atOnce), destinations: semaphore(atOnce) };
  const sources = new Map<string, SourceView>();
  const places = new Map<string, DestinationView>();
  return {
    ...options,
    client,
    from,
    async fitting({ registry, repositories, prefix }) {
      const service = await from.service(registry, call);
      const own = service.provider.abilities.listRepositories.how !== "impossible";
      const names = new Set<string>();
      const listing = own ? service.listRepositories(prefix, call) : service.repositories(prefix, call);
      for await (const found of listing) names.add(typeof found === "string" ? found : found.name);
      return [...names]
        .filter((repository) => repositories.fits(repository))
        .map((repository) => ({ origin: { place: `${registry}/${repository}`, registry, repository } }));
    },
    source(origin) {
      const known =
        sources.get(origin.place) ??
        sourceView(from, origin, { room: rooms.sources, call, ...(options.handed && { handed: options.handed }) });
      sources.set(origin.place, known);
      return known;
    },
    destination(place) {
      const known = places.get(place) ?? destinationView(client, place, rooms.destinations, call);
      places.set(place, known);
      return known;
    },
    async destinations() {
      [...places.keys()].forEach(oneForm());
      const states = [...places].map(async ([place, view]) => [place, await view.state()] as const);
      return new Map((await Promise.all(states)).filter((one): one is [string, Destination] => one[1] !== undefined));
    },
  };
}

async function readRoute(rule: SyncRule, origin: Origin, ref: string | undefined, reading: Reading): Promise<Route> {
  const route = await readSelected(rule, origin, ref, reading);
  if (rule.prune) await Promise.all(repositoriesOf(route).map((place) => reading.destination(place).tags()));
  return route;
}

async function readSelected(rule: SyncRule, origin: Origin, ref: string | undefined, reading: Reading): Promise<Route> {
  const route = { rule, origin, images: [], dropped: [] };
  try {
    const source = reading.source(origin);
    if (ref === undefined && origin.registry !== undefined) listAhead(rule, origin, reading);
    const { selected, dropped, tooFew, unread } =
      ref === undefined ? await select(rule, source, reading.now) : only(ref);
    if (tooFew.length > 0) return { ...route, dropped, failed: tooFew.join("; ") };
    const images = await readImages({ rule, origin, source, reading, listed: ref === undefined }, selected);
    return { ...route, dropped, images: [...images, ...unread] };
  } catch (error) {
    if (reading.signal?.aborted) throw error;
    return { ...route, failed: `it cannot be read: ${messageOf(error)}` };
  }
}

/** Lists destinations of which nothing is known at the same time as the source: whatever is selected, that will be asked. */
function listAhead(rule: SyncRule, origin: Origin, reading: Reading): void {
  for (const template of rule.to) {
    if (template.isLocal || template.uses.has("tag")) continue;
    const { place } = template.target(origin, { tag: "any", digest: unknownDigest });
    if (reading.recheck || !reading.cache?.knows(place))
      reading
        .destination(place)
        .tags()
        .catch(() => {}); // Who needs them is told.
  }
}
