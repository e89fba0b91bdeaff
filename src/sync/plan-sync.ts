import type { Client } from "../client.ts";
import type { Applied, Guards } from "../plan/apply.ts";
import type { Plan } from "../plan/plan.ts";
import { withNeighbours } from "../policy/sync/beside.ts";
import type { SyncRule } from "../policy/sync/parse.ts";
import type { Weight } from "../policy/sync/budget.ts";
import { planSync as planned, type PlanSyncOptions as Wishes, type Unweighed } from "../policy/sync/plan.ts";
import { weighedBy, type SyncState } from "../policy/sync/state.ts";
import type { Call, Store } from "../store/store.ts";
import { openSyncCache, type SyncCacheOptions } from "./cache.ts";
import { handedOn, handOn } from "./handed.ts";
import { messageOf } from "./message.ts";
import { readSync } from "./read-sync.ts";
import { remember } from "./remember.ts";

export interface PlanSyncOptions extends Call, Omit<Wishes, "onUnweighed"> {
  /** The time that ages are counted to; the clock's. */
  readonly now?: Date;
  /** Where it is remembered from run to run what was found whole, and for how many milliseconds that is believed (12 hours). */
  readonly cache?: { readonly file: string; readonly ttl?: number };
  /** The names of the rules that are run, of all that there are: what the others write is not taken away. All, unless told. */
  readonly only?: readonly string[];
  /** Looks into everything, whatever the cache says. */
  readonly recheck?: boolean;
  /** Tells what must not be pruned; asked once something would be. */
  readonly guards?: () => Promise<Guards>;
  /** Opens the sources, where they need other credentials than the destinations. */
  readonly source?: Client;
  /** Whether the plan is applied at once: what its copies need is read a single time then. */
  readonly atOnce?: boolean;
  /** Told why the cache cannot be used. */
  readonly onWarning?: (text: string) => void;
}

/** A plan of what a sync has to do. */
export interface PlannedSync {
  readonly plan: Plan;
  /** Keeps in the cache what was found, and what applying the plan did. */
  readonly remember: (applied?: Applied) => Promise<void>;
}

/** How many images are weighed before it is looked whether that is enough; each time twice as many. */
const firstWeighed = 16;

/** Plans, and weighs images until it is known how far the budget goes. */
async function plannedWithin(
  state: SyncState,
  now: Date,
  wishes: Wishes,
  weigh: (image: Unweighed) => Promise<Weight>,
): Promise<Plan> {
  const weights = new Map<string, Weight>();
  for (let most = firstWeighed; ; most *= 2) {
    const open = new Map<string, Unweighed>();
    const onUnweighed = (image: Unweighed): void => {
      if (open.size < most) open.set(weighedBy(image.route, image.digest), image);
    };
    const plan = planned({ ...state, weights }, now, { ...wishes, onUnweighed });
    if (open.size === 0) return plan;
    await Promise.all([...open].map(async ([key, image]) => weights.set(key, await weigh(image))));
  }
}

/** Runs `act`, and then closes the stores that were opened with its clients. */
async function closing<T>(act: (of: (client: Client) => Client) => Promise<T>): Promise<T> {
  const stores: Store[] = [];
  const of = (client: Client): Client => ({
    ...client,
    open(at, use) {
      const opened = client.open(at, use);
      stores.push(opened.store);
      return opened;
    },
  });
  try {
    return await act(of);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

const usualTtl = 12 * 3_600_000;

/** Reads what rules are about, with as few requests as that takes, and plans what there is to do. */
export async function planSync(
  client: Client,
  rules: readonly SyncRule[],
  options: PlanSyncOptions & { readonly now: Date },
): Promise<PlannedSync> {
  const { now, onWarning = () => {}, cache: kept, from, explain, only, atOnce, source = client, ...reading } = options;
  const open: SyncCacheOptions = { now, ttl: kept?.ttl ?? usualTtl, onWarning };
  const cache = kept && openSyncCache(kept.file, open);
  const running = only ? rules.filter(({ name }) => only.includes(name)) : rules;
  const read = withNeighbours(running, rules);
  const handed = atOnce ? handedOn() : undefined;
  const more = { ...(cache && { cache }), ...(handed && { handed }) };
  const wishes = { ...(from !== undefined && { from }), ...(explain !== undefined && { explain }) };
  const { state, plan } = await closing(async (of) => {
    const sides = { source: of(source), running, now, ...more };
    const found = await readSync(of(client), read, { ...reading, ...sides });
    return { state: found.state, plan: await plannedWithin(found.state, now, wishes, found.weigh) };
  });
  if (handed) handOn(plan, handed);
  return {
    plan,
    async remember(applied) {
      if (!cache) return;
      if (applied) remember(cache, state, plan, applied, now);
      try {
        await cache.save();
      } catch (error) {
        onWarning(`the cache ${kept.file} cannot be written: ${messageOf(error)}`);
      }
    },
  };
}
