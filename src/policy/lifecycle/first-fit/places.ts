import { expandBraces } from "../doublestar.ts";
import { folded, withoutRedundant, type Losses } from "../fold.ts";
import { coversScope, type Deletion, type Scope } from "../rules.ts";
import { tagEntries } from "./tags.ts";
import type { Place, Source } from "./target.ts";
import { untaggedFor } from "./untagged.ts";

/**
 * What rules delete, for a form of policy in which the first that fits counts. The last place is for all repositories;
 * undefined where nothing is left that would delete anything.
 */
export function placesOf(source: Source, lost: Losses): readonly Place[] | undefined {
  const { rules } = source;
  const deletions = withoutRedundant(folded(rules.deletions)).filter((one) => isScopeSayable(one, lost));
  const places: Place[] = [];
  for (const [scope, group] of byScope(deletions, rules.wholeNames === true, lost)) {
    tellWider(group, lost);
    const entries = tagEntries(group, source, lost);
    const untagged = untaggedFor(group, source, lost);
    if (!entries && !untagged) continue;
    const shields = scope.filter(({ glob, negated }) => negated && !places.some((one) => isFor(one, glob)));
    places.push(...shields.map(({ glob }) => ({ globs: expandBraces(glob) })));
    places.push({ globs: globsOf(scope), ...(entries && { entries }), ...(untagged && { untagged }) });
    if (entries && !untagged && rules.unit === "image") {
      lost.add(group[0]!.at, "deletes images: here only their tags go, as what has no tag is another rule's");
    }
  }
  if (places.length === 0) return undefined;
  // What comes after one for all is never reached.
  const last = places.findIndex((one) => isFor(one, "**"));
  return last === -1 ? [...places, { globs: ["**"] }] : places.slice(0, last + 1);
}

const isFor = ({ globs }: Place, glob: string): boolean => expandBraces(glob).every((one) => globs.includes(one));

const globsOf = (scope: Scope): readonly string[] => {
  const meant = scope.find(({ negated }) => !negated);
  return meant ? expandBraces(meant.glob) : ["**"];
};

function isScopeSayable({ at, scope }: Deletion, lost: Losses): boolean {
  if (scope.filter(({ negated }) => !negated).length < 2) return true;
  lost.add(at, "is for repositories that fit several patterns at once, which cannot be said here: left out");
  return false;
}

/** Tells of exceptions that are for fewer repositories than what they are exceptions of. */
function tellWider(deletions: readonly Deletion[], lost: Losses): void {
  for (const { scope, except } of deletions) {
    for (const one of except) {
      if (coversScope(one.scope, scope)) continue;
      lost.add(one.at, "is for some repositories: it keeps in all that the rule is for");
    }
  }
}

/** The deletions by where they are for; those for all repositories last, as the first that fits counts. */
function byScope(
  all: readonly Deletion[],
  isWhole: boolean,
  lost: Losses,
): readonly (readonly [Scope, readonly Deletion[]])[] {
  const groups = Map.groupBy(all, ({ scope }) => JSON.stringify(scope));
  const sorted = [...groups.values()]
    .map((group) => [group[0]!.scope, group] as const)
    .toSorted(([a], [b]) => Number(a.length === 0) - Number(b.length === 0));
  sorted.forEach(([scope, group], i) => {
    const others = scope.filter(({ negated }) => negated).map(({ glob }) => glob);
    const isApart = (other: Scope): boolean => other.some(({ glob, negated }) => !negated && others.includes(glob));
    const before = sorted.slice(0, i).every(([other]) => isApart(other));
    for (const { at } of group) {
      if (!before)
        lost.add(at, "is for repositories that another rule may be for: here the first of the two counts there");
      if (scope.length > 0 && !isWhole)
        lost.add(at, "is for repositories as its service calls them: here they have their whole names");
    }
  });
  return sorted;
}
