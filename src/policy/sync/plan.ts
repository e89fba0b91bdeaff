import type { Digest } from "../../oci/digest.ts";
import { parseLocation } from "../../oci/location.ts";
import type { Verdict } from "./budget.ts";
import { shortDigest } from "./words.ts";
import type { Plan } from "../../plan/plan.ts";
import { clash, isSame, plannedSteps, type Planned, type Writer } from "./planned.ts";
import { planPrune } from "./prune-steps.ts";
import { prunedPlaces, weighedBy, type Goal, type Route, type SyncState, type Wanted } from "./state.ts";

export interface PlanSyncOptions {
  /** What the rules were read from, for people. */
  readonly from?: string;
  /** Notes each tag that is not selected, with the reason. */
  readonly explain?: boolean;
  /** Is told of each image that has to be weighed first. */
  readonly onUnweighed?: (image: Unweighed) => void;
}

/** An image that has to be weighed before a budget can tell whether it is copied now. */
export interface Unweighed {
  readonly route: Route;
  readonly digest: Digest;
}

/**
 * What has to be done so that all destinations have what the rules say. What has to be weighed for a budget, and is not, is
 * handed to `onUnweighed` and left out. Throws INVALID where two sources would be written to one tag.
 */
export function planSync(
  state: SyncState,
  now: Date,
  { from, explain = false, onUnweighed = () => {} }: PlanSyncOptions = {},
): Plan {
  const made = plannedSteps(state, now);
  for (const route of state.routes) if (!route.beside) planRoute(route, made, { explain, onUnweighed });
  for (const { rule, at, why } of state.unlisted.filter(({ beside }) => !beside))
    made.refuse(rule, at, `its repositories cannot be listed: ${why}`);
  for (const { rule, at } of state.unmatched.filter(({ beside }) => !beside))
    made.notes.push({ level: "warning", at, message: `${rule.name}: it has no repository that fits` });
  for (const [why, count] of made.later) {
    const copies = count === 1 ? "1 copy is" : `${count} copies are`;
    made.notes.push({ level: "warning", message: `${why}: ${copies} left for the next run` });
  }
  for (const [place, routes] of prunedPlaces(state.routes)) planPrune(place, routes, made);
  return {
    version: 1,
    kind: "sync",
    made: now.toISOString(),
    ...(from !== undefined && { from }),
    steps: made.steps,
    kept: made.kept,
    notes: made.notes,
  };
}

type Wishes = Required<Pick<PlanSyncOptions, "explain" | "onUnweighed">>;

function planRoute(route: Route, made: Planned, wishes: Wishes): void {
  const { rule, origin, images, dropped, failed } = route;
  if (wishes.explain) {
    for (const { tag, why } of dropped)
      made.notes.push({ level: "info", at: `${origin.place}:${tag}`, message: `${rule.name}: not selected: ${why}` });
  }
  if (failed !== undefined) return made.refuse(rule, origin.place, failed);
  if (images.length === 0 && rule.from.every(({ kind }) => kind === "place"))
    made.notes.push({ level: "warning", at: origin.place, message: `${rule.name}: it has no tag that is selected` });
  for (const image of images) planImage(route, image, made, wishes);
}

function planImage(route: Route, image: Wanted, made: Planned, { onUnweighed }: Wishes): void {
  const { rule, origin } = route;
  const from = nameOf(route, image);
  const writer: Writer = { ...image, from, rule };
  for (const goal of image.targets) {
    const other = made.writers.get(goal.at);
    if (other && !isSame(other, writer)) throw clash(goal.at, other, writer);
    made.writers.set(goal.at, other ?? writer);
    if (other) continue;
    const verdict = judge(route, image, goal);
    if ("kept" in verdict) {
      const { digest = goal.now ?? undefined } = image;
      made.kept.push({ at: goal.at, why: verdict.kept, rule: rule.name, ...(digest && { digest }) });
    } else if ("refused" in verdict) made.refuse(rule, goal.at, verdict.refused);
    else if (!spend(route, image, made)) {
      made.refuse(
        rule,
        goal.at,
        `left for later: of the pulls that ${origin.registry} allows, ${rule.quotaReserve} are kept`,
      );
    } else {
      const paid = payFor(route, image, goal, made);
      if ("taken" in paid) addCopy(route, image, goal, { why: verdict.copy, ...paid }, made);
      else if ("never" in paid) made.refuse(rule, goal.at, paid.never);
      else if ("unweighed" in paid) onUnweighed({ route, digest: image.digest! });
      else {
        made.later.set(paid.later, (made.later.get(paid.later) ?? 0) + 1);
        made.kept.push({
          at: goal.at,
          why: `left for the next run: ${paid.later}`,
          rule: rule.name,
          digest: image.digest!,
        });
      }
    }
  }
  if (image.failed !== undefined) made.refuse(rule, from, image.failed);
}

/** The image with its digest, where that is known; in a local place, which can be told one of them, without its tag then. */
function nameOf({ origin: { place, registry } }: Route, { tag, digest }: Wanted): string {
  if (registry === undefined && digest !== undefined) return `${place}@${digest}`;
  return `${place}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

type Judgement = { readonly kept: string } | { readonly refused: string } | { readonly copy: string };

function judge({ rule }: Route, { digest, lacks }: Wanted, { state, now, why, tag }: Goal): Judgement {
  if (state === "failed") return { refused: why ?? "it cannot be looked at" };
  if (state === "fixed") return { kept: "it is there, and never moves" };
  if (state === "fresh") return { kept: "it was found there whole not long ago" };
  if (state === "current") return { kept: "it is there" };
  if (lacks.length > 0) return { refused: `nothing is copied: ${digest} has no ${lacks.join(" and no ")} attached` };
  if (state === "bare") return { copy: why ?? "not all that is attached to it is there" };
  if (now === null || now === undefined)
    return { copy: tag === undefined ? "it is not there" : `the tag ${tag} is not there` };
  if (rule.overwrite === "keep")
    return { kept: `it names ${shortDigest(now)}, and tags that are there are left alone` };
  if (rule.overwrite === "error")
    return { refused: `it names ${shortDigest(now)} already, and nothing is overwritten` };
  return { copy: `it names ${shortDigest(now)}, and the source ${shortDigest(digest!)}` };
}

/** Counts what a copy pulls, where some pulls are to be left. */
function spend({ rule, origin }: Route, { pulls }: Wanted, made: Planned): boolean {
  const left = origin.registry === undefined ? undefined : made.state.pulls.get(origin.registry);
  if (rule.quotaReserve === undefined || left === undefined) return true;
  const planned = (made.pulls.get(origin.registry!) ?? 0) + pulls;
  if (left - planned < rule.quotaReserve) return false;
  made.pulls.set(origin.registry!, planned);
  return true;
}

/** Asks the budget for a copy. */
function payFor(route: Route, { digest, pulls }: Wanted, { place }: Goal, made: Planned): Verdict {
  if (!route.rule.budget) return { taken: true };
  const key = weighedBy(route, digest!);
  const [{ registry: from }, to, weight] = [route.origin, registryOf(place), made.state.weights?.get(key)];
  return made.pay({
    image: key,
    pulls,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(weight && { weight }),
  });
}

function registryOf(place: string): string | undefined {
  const location = parseLocation(place);
  return location.transport === "registry" ? location.reference.registry : undefined;
}

function addCopy(
  route: Route,
  image: Wanted,
  goal: Goal,
  { why, bytes }: { readonly why: string; readonly bytes?: number },
  made: Planned,
): void {
  const { rule } = route;
  const { at, tag, now = null } = goal;
  const after: string[] = [];
  const create = createStep(route, goal, made);
  if (create !== undefined) after.push(create);
  if (rule.backup && tag !== undefined && now !== null && goal.state === "other") {
    const backup = rule.backup.name(tag, now, made.now, (name) => {
      const taken = made.state.destinations.get(goal.place)?.tags;
      return (taken?.has(name) ?? false) || made.taken.has(`${goal.place}:${name}`);
    });
    made.taken.add(`${goal.place}:${backup}`);
    const reason = `what ${tag} names is kept under it`;
    after.push(
      made.add({ do: "tag", at: `${goal.place}:${backup}`, digest: now, before: null, why: reason, rule: rule.name }),
    );
  }
  const id = made.add({
    do: "copy",
    from: nameOf(route, image),
    at,
    digest: image.digest!,
    why,
    rule: rule.name,
    ...(bytes !== undefined && { bytes }),
    ...(tag !== undefined && { before: now }),
    ...(rule.platforms && { platforms: rule.platforms }),
    ...(!rule.referrers && { referrers: false }),
    ...(rule.limitRate !== undefined && { limitRate: rule.limitRate }),
    ...(after.length > 0 && { after }),
  });
  const copies = made.copies.get(goal.place);
  if (copies) copies.push(id);
  else made.copies.set(goal.place, [id]);
}

function createStep({ rule }: Route, { place }: Goal, made: Planned): string | undefined {
  if (!rule.create || made.state.destinations.get(place)?.is !== "create") return undefined;
  const known =
    made.created.get(place) ??
    made.add({
      do: "create repository",
      at: place,
      why: "it is not there, and a push does not make it",
      rule: rule.name,
    });
  made.created.set(place, known);
  return known;
}
