import {
  countWithExceptions,
  folded,
  losses,
  softened,
  tellNames,
  tellUnit,
  withoutRedundant,
  type Losses,
} from "../fold.ts";
import {
  areApart,
  day,
  wholeDays,
  type Deletion,
  type Exception,
  type FormatOptions,
  type Formatted,
  type Rules,
  type Scope,
} from "../rules.ts";
import { toHarbor, type HarborRule, type Selector } from "./document.ts";
import { elsewhere, selectorsOf } from "./selectors.ts";
import { mostRules, templates, type Template } from "./templates.ts";

type Retained = Pick<HarborRule, "template" | "params" | "tag_selectors">;

/**
 * Writes a retention policy, which says what stays: what a deletion does not select, what it leaves alone, and of the rest
 * the newest and the young.
 */
export function formatHarbor(rules: Rules, options: FormatOptions = {}): Formatted {
  const lost = losses();
  tellUnit(rules, options, lost);
  const byTag = rules.unit === "tag" && !options.simpleImages;
  tellNames(rules, lost);
  const usable = softened(withoutRedundant(folded(rules.deletions))).filter((deletion) =>
    isUsable(deletion, byTag, lost),
  );
  if (rules.countsParts && !options.simpleImages) for (const deletion of usable) tellParts(deletion, lost);
  tellOverlaps(usable, lost);
  const scopes = new Map(usable.map(({ scope }) => [JSON.stringify(scope), scope]));
  let written: readonly HarborRule[] = [];
  for (const [key, scope] of scopes) {
    const deletions = usable.filter((deletion) => JSON.stringify(deletion.scope) === key);
    const room = mostRules - written.length;
    written = [...written, ...fitting(deletions, room, byTag, lost).map((rule) => ruleOf(rule, scope))];
  }
  const trigger = { kind: "Schedule", settings: { cron: "0 0 0 * * *" } };
  const document = written.length > 0 ? { algorithm: "or", rules: written, trigger } : undefined;
  return { document, losses: lost.all };
}

function isUsable(deletion: Deletion, byTag: boolean, lost: Losses): boolean {
  const { at, selection, newerThan, beyond } = deletion;
  const leftOut = (why: string): boolean => lost.add(at, `${why}: left out`) ?? false;
  if (newerThan !== undefined) return leftOut("deletes what is young, which Harbor does not");
  if (!selectorsOf(selection) || !elsewhere(selection))
    return leftOut("selects tags by what no pattern of Harbor says");
  if ((beyond ?? 0) > templates.latestPushedK.most) return leftOut("keeps more of the newest than Harbor counts");
  // Of an image with several tags, each may fit another pattern.
  if (byTag && beyond !== undefined && selection.tags.length > 1) {
    return leftOut("counts by several patterns, which with Harbor different tags of an image may fit");
  }
  if (beyond !== undefined && countWithExceptions(deletion) === undefined) {
    return leftOut("does not count what it keeps, and Harbor does");
  }
  if (selection.tags.length > 0)
    lost.add(at, "selects an image by any of its tags: with Harbor, all have to be selected");
  return true;
}

/** The rules for as many of the deletions as there is room for; the others are left out, and all of theirs stays. */
function fitting(deletions: readonly Deletion[], room: number, byTag: boolean, lost: Losses): readonly Retained[] {
  for (let many = deletions.length; many > 0; many--) {
    const found = unique(retainedBy(deletions.slice(0, many), byTag, lost));
    if (found.length > room) continue;
    for (const { at } of deletions.slice(many)) lost.add(at, `is left out: a project has ${mostRules} rules at most`);
    if (found.length > 0) return found;
    lost.add(deletions[0]!.at, "deletes all at once, and Harbor deletes nothing without a rule: left out");
    return [];
  }
  for (const { at } of deletions) lost.add(at, `is left out: a project has ${mostRules} rules at most`);
  return [];
}

/** Tells where a policy counts what Harbor does not. */
function tellParts({ at, beyond, except }: Deletion, lost: Losses): void {
  const counting = beyond === undefined ? except.find(({ newest }) => newest !== undefined)?.at : at;
  if (counting !== undefined)
    lost.add(counting, "counts the manifests that an index is made of too: Harbor does not, and keeps more");
}

/** Tells of deletions that may select the same images, or be for the same repositories: what either keeps stays. */
function tellOverlaps(deletions: readonly Deletion[], lost: Losses): void {
  deletions.forEach(({ at, selection, scope }, i) => {
    const before = deletions.slice(0, i);
    const other = before.find((one) => !areApart(one.selection, selection));
    if (other)
      lost.add(at, `selects some of what ${other.at} does: with Harbor, that stays for as long as either keeps it`);
    const beside = before.find((one) => mayMeet(one.scope, scope));
    if (beside)
      lost.add(at, `may be for repositories that ${beside.at} is for: with Harbor, what either keeps stays there`);
  });
}

/** Whether two scopes that differ may be for the same repositories. */
function mayMeet(one: Scope, two: Scope): boolean {
  if (JSON.stringify(one) === JSON.stringify(two)) return false;
  return !one.some(({ glob, negated }) => two.some((other) => other.glob === glob && other.negated !== negated));
}

function retainedBy(deletions: readonly Deletion[], byTag: boolean, lost: Losses): readonly Retained[] {
  const rest = deletions
    .reduce<readonly (readonly Selector[])[]>(
      (all, { selection }) => all.flatMap((some) => elsewhere(selection)!.map((more) => [...some, ...more])),
      [[]],
    )
    .map((selectors) => retained("always", 0, selectors));
  return [
    ...rest,
    ...deletions.flatMap(({ selection, olderThan = 0, beyond, except, ...deletion }) => {
      const selectors = selectorsOf(selection)!;
      if (olderThan % day !== 0) lost.add(deletion.at, "is not a number of whole days: the next is taken");
      const count = countWithExceptions({ ...deletion, selection, beyond: beyond ?? 0, except }, lost);
      return [
        ...(olderThan > 0 ? [retained("nDaysSinceLastPush", wholeDays(olderThan), selectors)] : []),
        ...(beyond === undefined ? [] : [retained("latestPushedK", count ?? beyond, selectors)]),
        ...except.flatMap((exception) => retainedFor(exception, byTag, lost)),
      ];
    }),
  ];
}

function retainedFor(exception: Exception, byTag: boolean, lost: Losses): readonly Retained[] {
  const { at, selection, newest, within, by, olderThan, scope } = exception;
  const exact = selectorsOf(selection);
  const selectors = exact ?? selectorsOf({ ...selection, tags: [] })!;
  if (!exact) {
    lost.add(at, "keeps tags by what no pattern of Harbor says: all that have tags are kept");
    return [retained("always", 0, selectors)];
  }
  if (scope.length > 0) lost.add(at, "is for some repositories: it keeps in all that the rule is for");
  // Of an image with several tags, each may fit another pattern.
  const isOver = byTag && newest !== undefined && selection.tags.length > 1;
  const isMixed = isOver || (newest !== undefined && within !== undefined);
  if (olderThan !== undefined || isMixed || (newest ?? 0) > templates.latestPushedK.most) {
    lost.add(at, "keeps by what Harbor cannot say: all that it selects is kept");
    return [retained("always", 0, selectors)];
  }
  if (newest !== undefined) {
    const template = ({ push: "latestPushedK", pull: "latestPulledN", activity: "latestActiveK" } as const)[by];
    return [retained(template, newest, selectors)];
  }
  if (within === undefined) return [retained("always", 0, selectors)];
  if (within % day !== 0) lost.add(at, "is not a number of whole days: the next is taken");
  const days = wholeDays(within);
  const pushed = by === "pull" ? [] : [retained("nDaysSinceLastPush", days, selectors)];
  return by === "push" ? pushed : [...pushed, retained("nDaysSinceLastPull", days, selectors)];
}

function retained(template: Template, number: number, selectors: readonly Selector[]): Retained {
  const most = templates[template].most;
  if (number > most) return { template: "always", params: {}, tag_selectors: selectors };
  return { template, params: template === "always" ? {} : { [template]: number }, tag_selectors: selectors };
}

function unique(all: readonly Retained[]): readonly Retained[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

function ruleOf(rule: Retained, scope: Scope): HarborRule {
  const repository: readonly Selector[] = scope.map(({ glob, negated }) => ({
    kind: "doublestar",
    decoration: negated ? "repoExcludes" : "repoMatches",
    pattern: toHarbor(glob),
  }));
  const all: Selector = { kind: "doublestar", decoration: "repoMatches", pattern: "**" };
  return {
    disabled: false,
    action: "retain",
    ...rule,
    scope_selectors: { repository: repository.length > 0 ? repository : [all] },
  };
}
