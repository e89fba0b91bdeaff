import { copier, type Copier, type CopyEvent, type CopyTarget, type Destination, type Outcome } from "../graph/copy.ts";
import { lane, type Lane } from "../graph/lane.ts";
import { throttle, type Throttle } from "../graph/rate.ts";
import { semaphore, type Semaphore } from "../graph/semaphore.ts";
import { isRegistryError, RegistryError } from "../oci/error.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { Spot } from "../plan/hands.ts";
import type { CopyImage } from "../plan/plan.ts";
import type { Call } from "../store/store.ts";
import { arrivals } from "./arrivals.ts";
import { mounting, type Bundled } from "./mounting.ts";

/** A spot, and where it is in which registry; a local place is in none. */
export interface CopySpot extends Spot {
  readonly registry?: string;
  readonly repository?: string;
  /** Of an image in a bundle. */
  readonly bundled?: Bundled;
}

/** Open the places that a step reads, or writes; the same store for all spots in one place. Throw INVALID. */
export interface CopyPlaces {
  readonly source: (from: string) => CopySpot;
  readonly destination: (at: string) => CopySpot;
  /** When it fires, images that are under way are finished, and none is begun any more: the others end as PARTIAL. */
  readonly until?: AbortSignal;
}

export interface CopyStepsOptions extends Call {
  /** Bytes a second, over all copies. */
  readonly limitRate?: number;
  /** How many images are under way at a time; what the first call says counts for all. */
  readonly jobs?: number;
  /** Puts a step's image itself, when all it needs is there; not called where the image is there already. */
  readonly putting?: (id: string, put: () => Promise<void>) => Promise<void>;
  readonly onEvent?: (event: CopyEvent) => void;
}

export interface Copied {
  readonly id: string;
  readonly bytes?: number;
  /** The tag named the image already, and no blob was sent. */
  readonly wasThere?: boolean;
  readonly error?: unknown;
}

/** How many images are under way at a time: more than a host gets requests, as each of them waits for other hosts, too. */
const imagesAtOnce = 48;
/** After so many connections that failed one after the other, nobody tries that registry again. */
const patience = 3;

/** All steps of one image: read once, for all its destinations. */
type Image = readonly [CopyImage, ...CopyImage[]];

/**
 * Copies images, many at a time over all calls, and tells how each step went as it ends. What goes to several destinations
 * is read once; a blob goes once to a registry, and is mounted into its other repositories. A destination that fails stops
 * no other; one that does not answer any more is not waited for again and again.
 */
export function stepCopier(
  places: CopyPlaces,
): (steps: readonly CopyImage[], options?: CopyStepsOptions) => AsyncGenerator<Copied, void> {
  const shared = { ...places, lanes: new Map(), rates: new Map(), failing: failures() };
  let room: Semaphore | undefined;
  return async function* copySteps(steps, options = {}) {
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const results = arrivals<Copied>();
    room ??= semaphore(options.jobs ?? imagesAtOnce);
    let isOver = false;
    const work = copyAll(steps, { ...shared, room }, { ...options, signal }, results.add)
      .finally(() => (isOver = true))
      .then(results.end, results.fail);
    try {
      yield* results.all;
    } finally {
      if (!isOver) stop.abort();
      await work;
    }
  };
}

interface Shared extends CopyPlaces {
  readonly room: Semaphore;
  readonly lanes: Map<string, Lane>;
  readonly rates: Map<string, Throttle>;
  readonly failing: ReturnType<typeof failures>;
}

async function copyAll(
  steps: readonly CopyImage[],
  shared: Shared,
  options: CopyStepsOptions,
  tell: (copied: Copied) => void,
): Promise<void> {
  const { room, failing, destination, until } = shared;
  const copyImage = copiersOf(shared, options);
  const run = async (image: Image): Promise<void> => {
    const waiting = new Set(image);
    const settle = (step: CopyImage, ending: Omit<Copied, "id">): void => {
      waiting.delete(step);
      tell({ id: step.id, ...ending });
    };
    try {
      for (const step of image) {
        const error = until?.aborted ? left(step) : failing.of(destination(step.at).registry);
        if (error !== undefined) settle(step, { error });
      }
      const [first, ...rest] = waiting;
      if (!first) return;
      await copyImage([first, ...rest], (step, outcome) => {
        failing.note(destination(step.at).registry, outcome);
        settle(step, endingOf(outcome));
      });
    } catch (error) {
      for (const step of waiting) settle(step, { error });
    }
  };
  await Promise.all(imagesOf(steps).map((image) => room(() => run(image))));
}

const left = ({ at }: CopyImage): RegistryError => new RegistryError("PARTIAL", `${at} is left for the next run`);

/** The steps of each image together, in the order of the plan. */
function imagesOf(steps: readonly CopyImage[]): readonly Image[] {
  const images = new Map<string, [CopyImage, ...CopyImage[]]>();
  for (const step of steps) {
    const place = step.from.replace(/:[\w.-]+@/, "@"); // Of whatever tag it was read: it is one image.
    const key = JSON.stringify([place, manner(step)]);
    const known = images.get(key);
    if (known) known.push(step);
    else images.set(key, [step]);
  }
  return [...images.values()];
}

/** How a step is copied: what images have in common that one copier can do. */
const manner = ({ platforms, referrers, limitRate, rule }: CopyImage): readonly unknown[] => [
  platforms ?? null,
  referrers ?? true,
  limitRate === undefined ? null : [limitRate, rule ?? null],
];

/** Copies by one copier all images that are read at one place and go to the same places in the same manner. */
function copiersOf(
  shared: Shared,
  options: CopyStepsOptions,
): (image: Image, onEnd: (step: CopyImage, outcome: Outcome) => void) => Promise<void> {
  const { source, destination } = shared;
  const { signal, putting, onEvent } = options;
  const known = new Map<string, Copier>();
  const copierOf = (step: CopyImage, spots: readonly CopySpot[]): Copier => {
    const from = source(step.from);
    const key = JSON.stringify([from.place, manner(step), spots.map(({ place }) => place)]);
    const limitRate = rateOf(step, shared, options);
    const made =
      known.get(key) ??
      copier(
        from.store,
        spots.map((spot) => destinationOf(from, spot, shared)),
        {
          referrers: step.referrers ?? true,
          ...(step.platforms && { platforms: step.platforms.map(parsePlatform) }),
          ...(limitRate && { limitRate }),
          ...(signal && { signal }),
          ...(onEvent && { onEvent }),
        },
      );
    known.set(key, made);
    return made;
  };
  return async (image, onEnd) => {
    const byPlace = Map.groupBy(image, ({ at }) => destination(at).place);
    const groups = [...byPlace].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
    const stepOf = new Map<CopyTarget, CopyImage>();
    const targets = groups.map((group) =>
      group.map((step) => {
        const { tag } = destination(step.at);
        const target: CopyTarget = {
          ...(tag !== undefined && { tag }),
          ...(step.before !== undefined && { before: step.before }),
          ...(putting && { putting: (put) => putting(step.id, put) }),
        };
        stepOf.set(target, step);
        return target;
      }),
    );
    const spots = groups.map(([step]) => destination(step!.at));
    const made = copierOf(image[0], spots);
    await made.place(image[0].digest, targets, (outcome, target) => onEnd(stepOf.get(target)!, outcome));
  };
}

function destinationOf(from: CopySpot, spot: CopySpot, { lanes, destination }: Shared): Destination {
  const { registry, repository } = spot;
  if (registry === undefined || repository === undefined) return { store: spot.store };
  const store = from.bundled
    ? mounting(spot.store, { registry, repository }, from.bundled, (at) => destination(at).store)
    : spot.store;
  const own = lanes.get(registry) ?? lane();
  lanes.set(registry, own);
  const mountFrom = from.registry === registry && from.repository !== repository ? from.repository : undefined;
  return { store, lane: own, ...(mountFrom !== undefined && { mountFrom }) };
}

/** What slows a step's copy down: the limit of all, and that of its rule. */
function rateOf(step: CopyImage, { rates }: Shared, { limitRate }: CopyStepsOptions): Throttle | undefined {
  const rate = (key: string, limit: number | undefined): Throttle | undefined => {
    if (limit === undefined) return undefined;
    const known = rates.get(key) ?? throttle(limit);
    rates.set(key, known);
    return known;
  };
  const [all, own] = [rate(`all ${limitRate}`, limitRate), rate(`rule ${step.rule}`, step.limitRate)];
  return all && own ? (stream, stopped) => all(own(stream, stopped), stopped) : (all ?? own);
}

/** Registries that do not answer any more. */
function failures(): {
  of(registry: string | undefined): unknown;
  note(registry: string | undefined, outcome: Outcome): void;
} {
  const counts = new Map<string, { readonly count: number; readonly error: unknown }>();
  return {
    of(registry) {
      const found = counts.get(registry ?? "");
      return found && found.count >= patience ? found.error : undefined;
    },
    note(registry, outcome) {
      if (registry === undefined) return;
      const dead =
        "error" in outcome &&
        isRegistryError(outcome.error, "NETWORK", "TIMEOUT") &&
        outcome.error.side === "destination";
      if (dead) counts.set(registry, { count: (counts.get(registry)?.count ?? 0) + 1, error: outcome.error });
      else if ("result" in outcome) counts.delete(registry);
    },
  };
}

const endingOf = (outcome: Outcome): Omit<Copied, "id"> =>
  "result" in outcome
    ? { bytes: outcome.result.bytes, wasThere: outcome.result.outcome === "unchanged" && outcome.result.bytes === 0 }
    : { error: outcome.error };
