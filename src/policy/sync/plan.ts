import { RegistryError } from "../../oci/error.ts";
import { shortDigest } from "./words.ts";
import type {
  CopyImage,
  CreateRepository,
  DeleteManifest,
  DeleteTag,
  Kept,
  Note,
  Plan,
  SetTag,
  Step,
} from "../../plan/plan.ts";
import type { SyncRule } from "./parse.ts";
import { pruneAt } from "./prune.ts";
import { prunedPlaces, type Goal, type Route, type SyncState, type Wanted } from "./state.ts";

export interface PlanSyncOptions {
  /** What the rules were read from, for people. */
  readonly from?: string;
  /** Notes each tag that is not selected, with the reason. */
  readonly explain?: boolean;
}

/**
 * What has to be done so that all destinations have what the rules say. Throws INVALID where two sources would be written
 * to one tag.
 */
export function planSync(state: SyncState, now: Date, { from, explain = false }: PlanSyncOptions = {}): Plan {
  const made = plannedSteps(state, now);
  for (const route of state.routes) if (!route.beside) planRoute(route, made, explain);
  for (const { rule, at, why } of state.unlisted.filter(({ beside }) => !beside))
    made.refuse(rule, at, `its repositories cannot be listed: ${why}`);
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

/** A step without its id. */
type Draft =
  | Omit<CopyImage, "id">
  | Omit<SetTag, "id">
  | Omit<CreateRepository, "id">
  | Omit<DeleteTag, "id">
  | Omit<DeleteManifest, "id">;

interface Planned {
  readonly steps: readonly Step[];
  readonly kept: Kept[];
  readonly notes: Note[];
  readonly now: Date;
  readonly state: SyncState;
  /** Adds a step, and answers its id. */
  add(step: Draft): string;
  refuse(rule: SyncRule, at: string, why: string): void;
  /** What each place is written with. */
  readonly writers: Map<string, Writer>;
  /** The steps by which repositories come about, by place. */
  readonly created: Map<string, string>;
  /** The copies to each place. */
  readonly copies: Map<string, string[]>;
  /** Tags that backups take, by place. */
  readonly taken: Set<string>;
  /** The pulls that are planned, by registry. */
  readonly pulls: Map<string, number>;
}

/** What writes a place. */
interface Writer extends Pick<Wanted, "digest"> {
  readonly from: string;
  readonly rule: SyncRule;
}

/** Whether two write the same: one image, whole or the same of it. A tag that is not asked for has the digest that it has. */
function isSame(one: Writer, other: Writer): boolean {
  const plain = ({ from }: Writer): string => from.replace(/@.*/, "");
  const image = one.digest && other.digest ? one.digest === other.digest : plain(one) === plain(other);
  return image && JSON.stringify(one.rule.platforms) === JSON.stringify(other.rule.platforms);
}

function plannedSteps(state: SyncState, now: Date): Planned {
  const steps: Step[] = [];
  const notes: Note[] = [];
  return {
    steps,
    kept: [],
    notes,
    now,
    state,
    add(step) {
      const id = String(steps.length + 1);
      steps.push({ id, ...step });
      return id;
    },
    refuse: ({ name }, at, why) => void notes.push({ level: "refused", at, rule: name, message: `${name}: ${why}` }),
    writers: new Map(),
    created: new Map(),
    copies: new Map(),
    taken: new Set(),
    pulls: new Map(),
  };
}

function planRoute(route: Route, made: Planned, explain: boolean): void {
  const { rule, origin, images, dropped, failed } = route;
  if (explain) {
    for (const { tag, why } of dropped)
      made.notes.push({ level: "info", at: `${origin.place}:${tag}`, message: `${rule.name}: not selected: ${why}` });
  }
  if (failed !== undefined) return made.refuse(rule, origin.place, failed);
  if (images.length === 0 && rule.from.every(({ kind }) => kind === "place"))
    made.notes.push({ level: "warning", at: origin.place, message: `${rule.name}: it has no tag that is selected` });
  for (const image of images) planImage(route, image, made);
}

function planImage(route: Route, image: Wanted, made: Planned): void {
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
    } else addCopy(route, image, goal, verdict.copy, made);
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

function addCopy(route: Route, image: Wanted, goal: Goal, why: string, made: Planned): void {
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

/** Each deletion names all copies that it comes after: a plan does not get larger by that than can be reviewed. */
const mostPairs = 100_000;

function planPrune(place: string, routes: readonly Route[], made: Planned): void {
  const { tags, manifests, kept, notes } = pruneAt(place, routes, made.state);
  made.kept.push(...kept);
  made.notes.push(...notes);
  const after = made.copies.get(place);
  const more = after ? { after } : {};
  const going = tags.length + manifests.length;
  if (after && after.length * going > mostPairs) {
    const message = `${going} deletions are left for the next run, when its ${after.length} copies are there`;
    made.notes.push({ level: "warning", at: place, message });
    return;
  }
  for (const { tag, digest, rule } of tags)
    made.add({ do: "delete tag", at: `${place}:${tag}`, digest, why: "no mapping writes it", rule, ...more });
  for (const { digest, tags: names, why, rule } of manifests)
    made.add({ do: "delete manifest", at: `${place}@${digest}`, digest, tags: names, why, rule, ...more });
}

function clash(at: string, one: Writer, other: Writer): RegistryError {
  const both = `${one.from} (${one.rule.name}) and ${other.from} (${other.rule.name})`;
  return new RegistryError("INVALID", `${at} would be written with ${both}`, {
    hint: "give one of them another destination, with {repository}, {name} or {tag} in it",
  });
}
