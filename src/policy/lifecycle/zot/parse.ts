import { losses, type Losses } from "../fold.ts";
import { anywhere } from "../regex.ts";
import {
  isAll,
  selectionOf,
  type Deletion,
  type Exception,
  type Parsed,
  type Scope,
  type Selection,
} from "../rules.ts";
import { regex, type TagPattern } from "../tag-pattern.ts";
import { hasRules, secondsOf, storesIn, type KeepRules, type ZotDocument, type ZotStore } from "./document.ts";

/** Reads a configuration: in the repositories of a policy all tags go but for what keepTags keeps, and what has no tag. */
export function parseZot(document: ZotDocument): Parsed {
  const lost = losses();
  const stores = storesIn(document);
  const routes = stores.flatMap(({ route }) => (route === undefined ? [] : [globOfRoute(route)]));
  const deletions = stores.flatMap((store) => {
    const scope: Scope =
      store.route === undefined
        ? routes.map((glob) => ({ glob, negated: true }))
        : [{ glob: globOfRoute(store.route), negated: false }];
    return deletionsIn(store, scope, lost);
  });
  const rules = { unit: "tag", countsParts: true, countsOrphans: true, wholeNames: true, deletions } as const;
  return { rules, losses: lost.all };
}

const globOfRoute = (route: string): string => (route === "/" ? "*" : `${route.slice(1)}/*/**`);

/** Several globs as one. */
const oneOf = (globs: readonly string[]): string => (globs.length === 1 ? globs[0]! : `{${globs.join(",")}}`);

function deletionsIn(store: ZotStore, within: Scope, lost: Losses): readonly Deletion[] {
  const at = store.at === "" ? "policies" : store.at;
  if (!store.collects) lost.add(at, "is not collected, as gc is off: nothing is deleted, as there");
  else if (store.dryRun) lost.add(at, "is a dry run: nothing is deleted, as there");
  if (!store.collects || store.dryRun) return [];
  const deletions: Deletion[] = [];
  let scope = within;
  for (const policy of store.policies) {
    const { repositories, deleteReferrers = false, deleteUntagged = true } = policy;
    if (deleteReferrers)
      lost.add(policy.at, "deletes what is attached to nothing any more, which is not said elsewhere");
    const isForAll = repositories.includes("**");
    const own: Scope = isForAll ? scope : [{ glob: oneOf(repositories), negated: false }, ...scope];
    deletions.push(...tagDeletion(policy, own));
    if (deleteUntagged) deletions.push(untaggedDeletion(policy, own, store.delay));
    if (isForAll) return deletions;
    scope = [...scope, { glob: oneOf(repositories), negated: true }];
  }
  // Where no policy is for a repository, what has no tag goes all the same.
  const rest = { at: store.at === "" ? "delay" : `${store.at}.delay` };
  return [...deletions, untaggedDeletion(rest, scope, store.delay)];
}

type Policy = ZotStore["policies"][number];

function tagDeletion({ at, keepTags = [] }: Policy, scope: Scope): readonly Deletion[] {
  if (keepTags.length === 0) return [];
  const except: Exception[] = [];
  const before: (readonly TagPattern[])[] = [];
  for (const [i, entry] of keepTags.entries()) {
    const patterns = (entry.patterns ?? []).map((text) => regex(anywhere(text)));
    // A tag is the first entry's that it fits.
    const selection = selectionOf("tagged", ...(patterns.length > 0 ? [patterns] : []), ...before);
    except.push(...exceptionsOf(entry, selection, `${at}.keepTags[${i}]`));
    if (patterns.length === 0 || patterns.some(isAll)) break;
    before.push(...patterns.map((pattern) => [{ ...pattern, negated: true as const }]));
  }
  return [{ at: `${at}.keepTags`, selection: selectionOf("tagged"), scope, countsExceptions: true, except }];
}

function untaggedDeletion(
  { at, keepUntagged = {} }: Pick<Policy, "at" | "keepUntagged">,
  scope: Scope,
  delay: number,
): Deletion {
  const selection = selectionOf("untagged");
  const except = hasRules(keepUntagged) ? exceptionsOf(keepUntagged, selection, `${at}.keepUntagged`) : [];
  return { at, selection, scope, olderThan: delay, countsExceptions: true, except };
}

function exceptionsOf(rules: KeepRules, selection: Selection, at: string): readonly Exception[] {
  const base = { at, selection, scope: [] };
  if (!hasRules(rules)) return [{ ...base, by: "push" }];
  const { pulledWithin, pushedWithin, mostRecentlyPulledCount: pulled, mostRecentlyPushedCount: pushed } = rules;
  return [
    ...(pushedWithin === undefined ? [] : [{ ...base, within: secondsOf(pushedWithin), by: "push" as const }]),
    // What was pushed within that time is kept too.
    ...(pulledWithin === undefined ? [] : [{ ...base, within: secondsOf(pulledWithin), by: "activity" as const }]),
    ...(pushed ? [{ ...base, newest: pushed, by: "push" as const }] : []),
    ...(pulled ? [{ ...base, newest: pulled, by: "pull" as const }] : []),
  ];
}
