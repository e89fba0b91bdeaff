import type { Inventory } from "../../graph/inventory.ts";
import type { Root } from "../../graph/needed.ts";
import { rootsInUse, type InUse } from "../../plan/in-use.ts";
import type { DeleteManifest, DeleteTag, Kept, Note, Plan, Step } from "../../plan/plan.ts";
import type { Owner } from "./belongings.ts";
import { brakedBy } from "./brakes.ts";
import { contentsOf, type Contents } from "./contents.ts";
import { retentionDecider } from "./decide.ts";
import { dialectDecider, type DialectPolicy } from "./dialect.ts";
import { notAlone, planRepository, type RepositoryPlan } from "./repository-plan.ts";
import type { RetentionPolicy } from "./retention.ts";
import type { Decider, FatesByNumber } from "./verdicts.ts";

/** What retention is planned over. */
export interface RetentionState {
  readonly inventories: readonly Inventory[];
  /** The images that somebody runs: they stay, with all their tags. */
  readonly inUse?: readonly InUse[];
  /** What else in a repository stays, with all its tags. */
  readonly protect?: (inventory: Inventory) => readonly Root[];
  /** Takes the time at which an image was built where the registry does not tell when it was pushed. */
  readonly useCreated?: boolean;
  /** Whether a policy may take the last image with a tag out of a repository. */
  readonly allowEmpty?: boolean;
}

/**
 * What a policy, Gantry's own or one of a service's form, takes away and leaves now, in whichever registry. Nothing goes that
 * something needs which stays; in a repository that cannot be judged, or that would lose more than it may, nothing goes
 * and a `refused` note says why. Throws INVALID for a document that its service would refuse.
 */
export function planRetention(policy: RetentionPolicy | DialectPolicy, state: RetentionState, now: Date): Plan {
  const decider = "dialect" in policy ? dialectDecider(policy, state) : retentionDecider(policy, state);
  const steps: Step[] = [];
  const kept: Kept[] = [];
  const notes: Note[] = [];
  for (const inventory of state.inventories.toSorted((a, b) => (a.repository < b.repository ? -1 : 1))) {
    const contents = contentsOf(inventory);
    const plan = planOne(contents, decider, state, now.getTime(), notes);
    addSteps(plan, contents, steps);
    addKept(plan, inventory, kept);
  }
  for (const { rule, why } of decider.unused()) notes.push({ level: "warning", message: `${rule}: ${why}` });
  return { version: 1, kind: "retain", made: now.toISOString(), steps, kept, notes };
}

function planOne(
  contents: Contents,
  decider: Decider,
  state: RetentionState,
  now: number,
  notes: Note[],
): RepositoryPlan {
  const { inventory } = contents;
  const { repository: at, gaps, manifests } = inventory;
  if (manifests.size === 0 && gaps.length === 0)
    notes.push({ level: "warning", at, message: "there is nothing in it" });
  const spared = sparedBy(contents, state);
  const refuse = (refused: string): RepositoryPlan => {
    notes.push({ level: "refused", at, message: refused });
    return planRepository(contents, { tags: [], untagged: [], notes: [], refused }, spared);
  };
  const [gap] = gaps;
  if (gap) {
    const more = gaps.length > 1 ? `, and ${gaps.length - 1} more` : "";
    return refuse(`${gap.at} cannot be read, so that nobody knows what it needs: ${gap.why}${more}`);
  }
  const verdicts = decider.decide(contents, now);
  if (verdicts.refused !== undefined) return refuse(verdicts.refused);
  const plan = planRepository(contents, verdicts, spared);
  const brake = brakedBy(plan, contents, { ...decider, ...(state.allowEmpty && { allowEmpty: true }) });
  if (brake !== undefined) return refuse(brake);
  notes.push(...verdicts.notes, ...tagNotes(plan, inventory));
  return plan;
}

/** What there is to know of tags that go, or would have to, while their images stay. */
function tagNotes(
  { goingAlone, staying }: RepositoryPlan,
  { repository: at, tagDeletion }: Inventory,
): readonly Note[] {
  const stay = staying.filter(({ fate }) => fate.why === notAlone).length;
  if (stay > 0) {
    const what = stay === 1 ? "1 tag that the policy is against stays" : `${stay} tags that the policy is against stay`;
    return [{ level: "warning", at, message: `${what}: this registry takes away whole images alone` }];
  }
  const go = tagDeletion === "not everywhere" ? goingAlone.length : 0;
  if (go === 0) return [];
  const what = go === 1 ? "1 tag is to go from an image that stays" : `${go} tags are to go from images that stay`;
  const then = "where this one cannot, that fails, and nothing else with it";
  return [{ level: "info", at, message: `${what}, which not every registry can do: ${then}` }];
}

/** What stays with all its tags, whatever a policy says. */
function sparedBy({ inventory, graph }: Contents, { inUse = [], protect }: RetentionState): FatesByNumber {
  const said = new Map<number, string>();
  for (const { digest, why } of [...(protect?.(inventory) ?? []), ...rootsInUse(inventory, inUse)]) {
    said.set(graph.numbers.get(digest) ?? -1, why);
  }
  return graph.held.map(({ immutable, state }, number) => {
    const own = immutable ? "it is immutable" : state === undefined ? undefined : `it is ${state}`;
    const why = said.get(number) ?? own;
    return why === undefined ? undefined : { goes: false, why };
  });
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

function addSteps({ going, freed, gone, owners, goingAlone }: RepositoryPlan, contents: Contents, steps: Step[]): void {
  const { graph, inventory } = contents;
  const [byDigest, byTag] = [`${inventory.repository}@`, `${inventory.repository}:`];
  const ids = Array.from<string | undefined>({ length: graph.held.length });
  let [last, before]: [readonly Owner[] | undefined, readonly string[]] = [undefined, []];
  going.forEach((number, i) => {
    const { digest, tags } = graph.held[number]!;
    const { why, rule } = gone[number]!;
    const id = String(steps.length + 1);
    ids[number] = id;
    const at = byDigest + digest;
    const step: Open<DeleteManifest> = { do: "delete manifest", id, at, why, digest, tags, bytes: freed[i]! };
    if (rule !== undefined) step.rule = rule;
    const after = owners[number]!;
    // Those of one owner follow one another, and share the list.
    if (after !== last) [last, before] = [after, after.flatMap(({ by }) => ids[by] ?? [])];
    if (before.length > 0) step.after = before;
    steps.push(step);
  });
  for (const { digest, tag, fate } of goingAlone) {
    const id = String(steps.length + 1);
    const step: Open<DeleteTag> = { do: "delete tag", id, at: byTag + tag!, why: fate.why, digest };
    if (fate.rule !== undefined) step.rule = fate.rule;
    steps.push(step);
  }
}

function addKept({ staying }: RepositoryPlan, { repository }: Inventory, kept: Kept[]): void {
  const [byDigest, byTag] = [`${repository}@`, `${repository}:`];
  for (const { digest, tag, fate } of staying) {
    const one: Open<Kept> = { at: tag === undefined ? byDigest + digest : byTag + tag, digest, why: fate.why };
    if (fate.rule !== undefined) one.rule = fate.rule;
    kept.push(one);
  }
}
