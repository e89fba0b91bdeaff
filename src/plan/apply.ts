import type { CopyEvent } from "../graph/copy.ts";
import type { Inventory } from "../graph/inventory.ts";
import type { Root } from "../graph/needed.ts";
import { semaphore } from "../graph/semaphore.ts";
import { isAbort } from "../graph/sides.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { Call } from "../store/store.ts";
import { act, type Ending } from "./act.ts";
import type { Hands } from "./hands.ts";
import { isDeletion, type CopyImage, type DeleteManifest, type DeleteTag, type Plan, type Step } from "./plan.ts";
import { recheckDeletions, type Verdict } from "./recheck.ts";

/** What applying tells while it works. */
export type PlanEvent = CopyEvent | { readonly type: "step"; readonly step: Step; readonly ending: Ending };

export interface ApplyOptions extends Call {
  /** How many steps at a time; 8. */
  readonly jobs?: number;
  /** Bytes a second, over all copies. */
  readonly limitRate?: number;
  /** The most deletions that the plan may have: a number, or a part of all it looked at (`10%`). More throw DENIED before the first step. */
  readonly maxDelete?: number | `${number}%`;
  /** What in a repository must not go, whatever the plan says. */
  readonly protect?: (inventory: Inventory) => readonly Root[];
  /** Writes down what is to be done, and what is needed to take it back, before each step; and how it ended. */
  readonly journal?: Journal;
  readonly onEvent?: (event: PlanEvent) => void;
}

/** Where applying writes what it does; what `begin` got is durable before it settles. */
export interface Journal {
  begin(step: Step, undo?: unknown): Promise<void>;
  end(step: Step, ending: Ending): Promise<void>;
}

export interface Applied {
  readonly endings: ReadonlyMap<string, Ending>;
  /** Whether every step was done, now or before. */
  readonly complete: boolean;
}

/**
 * Does what a plan says. Each step is held against what is there first: what is done already is left, what is not as the plan
 * expects is stale and left, too. A step that fails stops those that come after it and no others.
 */
export async function applyPlan(plan: Plan, hands: Hands, options: ApplyOptions = {}): Promise<Applied> {
  checkDeletions(plan, options.maxDelete);
  const endings = new Map<string, Ending>();
  const run = runner(plan, hands, options, (step, ending) => {
    endings.set(step.id, ending);
    options.onEvent?.({ type: "step", step, ending });
    return options.journal?.end(step, ending);
  });
  for (let open: readonly Step[] = plan.steps; open.length > 0;) {
    const ready = open.filter(({ after = [] }) => after.every((id) => endings.has(id)));
    const [go, blocked] = partition(ready, ({ after = [] }) => after.every((id) => isDone(endings.get(id))));
    for (const step of blocked) {
      const id = step.after!.find((one) => !isDone(endings.get(one)));
      await run.settle(step, { outcome: "skipped", why: `${id} was not done` });
    }
    await run.all(go);
    open = open.filter(({ id }) => !endings.has(id));
  }
  return { endings, complete: [...endings.values()].every(isDone) };
}

const isDone = (ending: Ending | undefined): boolean => ending?.outcome === "done" || ending?.outcome === "already";

/** Throws DENIED where a plan has more deletions than it may. */
export function checkDeletions({ steps, kept }: Plan, most: ApplyOptions["maxDelete"]): void {
  if (most === undefined) return;
  const deletions = steps.filter(isDeletion).length;
  const all = deletions + kept.length;
  const limit = typeof most === "number" ? most : Math.floor((Number.parseFloat(most) / 100) * all);
  if (deletions <= limit) return;
  throw new RegistryError("DENIED", `the plan deletes ${deletions} of ${all}, and no more than ${most} may go`, {
    hint: "look at the plan; if it is right, allow more: --max-delete",
  });
}

/** Does steps that are ready, those of one kind and place together where that saves requests. */
function runner(
  plan: Plan,
  hands: Hands,
  options: ApplyOptions,
  settle: (step: Step, ending: Ending) => Promise<void> | undefined,
): { all(steps: readonly Step[]): Promise<void>; settle(step: Step, ending: Ending): Promise<void> | undefined } {
  const { signal } = options;
  const room = semaphore(options.jobs ?? 8);
  const deletions = Map.groupBy(plan.steps.filter(isDeletion), repositoryOf);
  const inventories = new Map<string, Promise<{ inventory: Inventory; verdicts: ReadonlyMap<string, Verdict> }>>();
  const recheck = (repository: string): ReturnType<typeof inventories.get> & {} => {
    const known =
      inventories.get(repository) ??
      hands.inventory(repository, { signal }).then((inventory) => ({
        inventory,
        verdicts: recheckDeletions(deletions.get(repository)!, inventory, options.protect?.(inventory)),
      }));
    inventories.set(repository, known);
    return known;
  };

  async function attempt(step: Step, work: () => Promise<Ending>): Promise<void> {
    let ending: Ending;
    try {
      ending = await work();
    } catch (error) {
      if (isAbort(error) || signal?.aborted) throw error;
      ending = { outcome: "failed", why: error instanceof Error ? error.message : String(error), error };
    }
    await settle(step, ending);
  }

  async function deleteIn(repository: string, steps: readonly (DeleteTag | DeleteManifest)[]): Promise<void> {
    let verdicts: ReadonlyMap<string, Verdict>;
    try {
      ({ verdicts } = await room(() => recheck(repository)));
    } catch (error) {
      for (const step of steps) await attempt(step, () => Promise.reject(error));
      return;
    }
    const going: (DeleteTag | DeleteManifest)[] = [];
    for (const step of steps) {
      const found = verdicts.get(step.id)!;
      if (found.verdict === "go") going.push(step);
      else await settle(step, { outcome: found.verdict, ...("why" in found && { why: found.why }) });
    }
    const [tags, manifests] = partition(going, (step): step is DeleteTag => step.do === "delete tag");
    await Promise.all(
      tags.map((step) =>
        room(() =>
          attempt(step, async () => {
            await options.journal?.begin(step);
            await hands.deleteTag(repository, hands.open(step.at).tag!, { signal });
            return { outcome: "done" };
          }),
        ),
      ),
    );
    await deleteManifests(repository, manifests);
  }

  async function deleteManifests(repository: string, steps: readonly DeleteManifest[]): Promise<void> {
    const byDigest = new Map<Digest, DeleteManifest>(steps.map((step) => [step.digest, step]));
    for (const step of steps) {
      const { store } = hands.open(step.at);
      const manifest = await store.manifest(step.digest, { signal });
      const { mediaType } = manifest?.descriptor ?? {};
      await options.journal?.begin(
        step,
        manifest && { mediaType, manifest: Buffer.from(manifest.bytes).toString("base64") },
      );
    }
    try {
      for await (const one of hands.deleteManifests(repository, [...byDigest.keys()], { signal })) {
        const step = byDigest.get(one.digest);
        if (!step) continue;
        byDigest.delete(one.digest);
        const bytes = step.bytes === undefined ? {} : { bytes: step.bytes };
        if (one.outcome === "failed") await attempt(step, () => Promise.reject(one.error ?? new Error("it failed")));
        else await settle(step, { outcome: one.outcome === "deleted" ? "done" : "already", ...bytes });
      }
      for (const step of byDigest.values())
        await settle(step, { outcome: "failed", why: "the registry told nothing of it" });
    } catch (error) {
      for (const step of byDigest.values()) await attempt(step, () => Promise.reject(error));
    }
  }

  async function copyAll(steps: readonly CopyImage[]): Promise<void> {
    if (steps.length === 0) return;
    const open = new Map(steps.map((step) => [step.id, step]));
    for (const step of steps) await options.journal?.begin(step);
    const { limitRate, onEvent } = options;
    for await (const { id, bytes, error } of hands.copy(steps, {
      ...(signal && { signal }),
      ...(limitRate !== undefined && { limitRate }),
      ...(onEvent && { onEvent }),
    })) {
      const step = open.get(id)!;
      open.delete(id);
      if (error === undefined) await settle(step, { outcome: "done", ...(bytes !== undefined && { bytes }) });
      else await attempt(step, () => Promise.reject(error));
    }
  }

  return {
    settle,
    async all(steps) {
      const copies = steps.filter((step) => step.do === "copy");
      const going = Map.groupBy(steps.filter(isDeletion), repositoryOf);
      const single = steps.filter((step) => step.do !== "copy" && !isDeletion(step));
      await Promise.all([
        copyAll(copies),
        ...[...going].map(([repository, of]) => deleteIn(repository, of)),
        ...single.map((step) =>
          room(() =>
            attempt(step, async () => {
              await options.journal?.begin(step);
              return act(step, hands, { signal });
            }),
          ),
        ),
      ]);
    },
  };
}

/** The repository of a step that deletes. */
function repositoryOf({ at }: Step): string {
  const digest = at.indexOf("@");
  const name = digest < 0 ? at : at.slice(0, digest);
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}

function partition<T, S extends T>(items: readonly T[], is: (item: T) => item is S): [S[], Exclude<T, S>[]];
function partition<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]];
function partition<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]] {
  return [items.filter((item) => is(item)), items.filter((item) => !is(item))];
}
