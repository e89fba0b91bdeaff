import type { Ending } from "./act.ts";
import type { Step } from "./plan.ts";

/** Says how a step ended. */
export type Settle = (step: Step, ending: Ending) => void;

/** What is done with steps whose turn it is. */
export interface Work {
  /** Steps of one key go together, once none of them waits for others any more; one without a key goes as soon as it can. */
  readonly keyOf: (step: Step) => string | undefined;
  /** Does steps, and settles each. What it throws ends everything. */
  readonly run: (steps: readonly Step[]) => Promise<void>;
  readonly onEnd: (step: Step, ending: Ending) => void;
}

/** Steps that go together: those whose turn it is, and how many wait for others. */
interface Group {
  ready: Step[];
  waiting: number;
}

export const isDone = (ending: Ending | undefined): boolean =>
  ending?.outcome === "done" || ending?.outcome === "already";

/**
 * Runs steps, each when those that it comes after are done; where one is not, the step is skipped. What has nothing to do
 * with each other never waits for each other. Where work throws, nothing is begun any more, and when all has settled the
 * first of the errors is thrown.
 */
export async function inTurn(
  steps: readonly Step[],
  work: (settle: Settle) => Work,
): Promise<ReadonlyMap<string, Ending>> {
  const { keyOf, run, onEnd } = work(settle);
  const endings = new Map<string, Ending>();
  const open = new Map<string, Set<string>>();
  const behind = new Map<string, Step[]>();
  const groups = new Map<string, Group>();
  let running = 0;
  let idle = (): void => {};
  let failure: { readonly error: unknown } | undefined;

  const groupOf = (step: Step): Group | undefined => {
    const key = keyOf(step);
    if (key === undefined) return undefined;
    const group = groups.get(key) ?? { ready: [], waiting: 0 };
    groups.set(key, group);
    return group;
  };

  const begin = (batch: readonly Step[]): void => {
    if (!failure) void doBatch(batch);
  };

  async function doBatch(batch: readonly Step[]): Promise<void> {
    running += 1;
    try {
      await run(batch);
    } catch (error) {
      failure ??= { error };
    }
    running -= 1;
    if (running === 0) idle();
  }

  const release = (group: Group): void => {
    const batch = group.ready;
    group.ready = [];
    if (batch.length > 0) begin(batch);
  };

  /** Its turn has come, or it is skipped: its group waits for one step less. */
  function leave(step: Step, isReady: boolean): void {
    open.delete(step.id);
    const group = groupOf(step);
    if (!group) return isReady ? begin([step]) : undefined;
    group.waiting -= 1;
    if (isReady) group.ready.push(step);
    if (group.waiting === 0) release(group);
  }

  function settle(first: Step, itsEnding: Ending): void {
    const settled: [Step, Ending][] = [[first, itsEnding]];
    for (const [step, ending] of settled) {
      endings.set(step.id, ending);
      onEnd(step, ending);
      for (const next of behind.get(step.id) ?? []) {
        const before = open.get(next.id);
        before?.delete(step.id);
        if (!before) continue;
        if (!isDone(ending))
          settled.push([next, { outcome: "skipped", why: `${step.do} ${step.at}, which comes first, was not done` }]);
        if (!isDone(ending) || before.size === 0) leave(next, isDone(ending));
      }
    }
  }

  for (const step of steps) {
    const after = new Set(step.after ?? []);
    open.set(step.id, after);
    for (const id of after) {
      const known = behind.get(id);
      if (known) known.push(step);
      else behind.set(id, [step]);
    }
    const group = groupOf(step);
    if (group) group.waiting += 1;
  }
  for (const step of steps) if ((step.after ?? []).length === 0) leave(step, true);
  for (;;) {
    if (running > 0) await new Promise<void>((resolve) => (idle = resolve));
    // What is left waits for steps that go together with itself.
    const stuck = [...groups.values()].filter(({ ready }) => ready.length > 0);
    if (failure || stuck.length === 0) break;
    stuck.forEach(release);
  }
  if (failure) throw failure.error;
  return endings;
}
