import { expandBraces } from "../doublestar.ts";
import { folded, losses, withoutRedundant, type Losses } from "../fold.ts";
import { type Deletion, type FormatOptions, type Formatted, type Rules, type Scope } from "../rules.ts";
import { durationOf, secondsOf, type ZotPolicy } from "./document.ts";
import { keepTagsFor } from "./keep-tags.ts";
import { keepUntaggedFor } from "./keep-untagged.ts";

/**
 * Writes a retention: what it keeps, by policies of which the first that is for a repository counts. What no deletion is
 * for is kept by the last one.
 */
export function formatZot(rules: Rules, options: FormatOptions = {}): Formatted {
  const lost = losses();
  const deletions = withoutRedundant(folded(rules.deletions)).filter((one) => isScopeSayable(one, lost));
  const untagged = deletions.filter(({ selection }) => selection.state !== "tagged");
  // What has no tag waits for this at least, everywhere.
  const delay = Math.min(...untagged.map(({ olderThan = 0 }) => olderThan));
  const policies: ZotPolicy[] = [];
  for (const [scope, group] of byScope(deletions, lost)) {
    const policy = policyOf(group, rules, options, delay, lost);
    if (!policy) continue;
    const shields = scope.filter(({ glob, negated }) => negated && !policies.some((one) => isFor(one, glob)));
    policies.push(...shields.map(({ glob }) => keepAll(glob)));
    policies.push({ repositories: repositoriesOf(scope), ...policy });
  }
  if (policies.length === 0) return { document: undefined, losses: lost.all };
  if (!policies.some((one) => isFor(one, "**"))) policies.push(keepAll("**"));
  const goes = policies.some(({ deleteUntagged }) => deleteUntagged);
  return { document: { ...(goes && { delay: durationOf(delay) }), policies }, losses: lost.all };
}

const keepAll = (glob: string): ZotPolicy => ({ repositories: expandBraces(glob), deleteUntagged: false });

const isFor = ({ repositories }: ZotPolicy, glob: string): boolean =>
  expandBraces(glob).every((one) => repositories.includes(one));

const repositoriesOf = (scope: Scope): readonly string[] => {
  const meant = scope.find(({ negated }) => !negated);
  return meant ? expandBraces(meant.glob) : ["**"];
};

function isScopeSayable({ at, scope }: Deletion, lost: Losses): boolean {
  if (scope.filter(({ negated }) => !negated).length < 2) return true;
  lost.add(at, "is for repositories that fit several patterns at once, which zot cannot say: left out");
  return false;
}

/** The deletions by where they are for; those for all repositories last, as zot goes by the first policy that fits. */
function byScope(all: readonly Deletion[], lost: Losses): readonly (readonly [Scope, readonly Deletion[]])[] {
  const groups = Map.groupBy(all, ({ scope }) => JSON.stringify(scope));
  const sorted = [...groups.values()]
    .map((group) => [group[0]!.scope, group] as const)
    .toSorted(([a], [b]) => Number(a.length === 0) - Number(b.length === 0));
  sorted.forEach(([scope, group], i) => {
    const negated = scope.filter((one) => one.negated).map(({ glob }) => glob);
    const isApart = sorted
      .slice(0, i)
      .every(([other]) => other.some(({ glob, negated: not }) => !not && negated.includes(glob)));
    if (!isApart) {
      for (const { at } of group) {
        lost.add(at, "is for some repositories that another rule is for: zot goes by the first of the two there");
      }
    }
    if (scope.length > 0) {
      for (const { at } of group) {
        lost.add(at, "is for repositories as they count from below a project: zot knows them by their whole names");
      }
    }
  });
  return sorted;
}

type Kept = Omit<ZotPolicy, "repositories">;

function policyOf(
  group: readonly Deletion[],
  rules: Rules,
  options: FormatOptions,
  delay: number,
  lost: Losses,
): Kept | undefined {
  const keepTags = keepTagsFor(group, rules, options, lost);
  const untagged = keepUntaggedFor(group, rules, options, lost);
  if (!keepTags && !untagged) return undefined;
  if (!untagged) {
    if (rules.unit === "image") {
      lost.add(group[0]!.at, "deletes images: here only their tags go, as what has no tag is another rule's");
    }
    return { deleteUntagged: false, keepTags: keepTags! };
  }
  const { wait, rules: kept } = untagged;
  const pushed = Math.max(wait > delay ? wait : 0, kept.pushedWithin === undefined ? 0 : secondsOf(kept.pushedWithin));
  const keepUntagged = { ...kept, ...(pushed > 0 && { pushedWithin: durationOf(pushed) }) };
  return {
    deleteUntagged: true,
    ...(keepTags && { keepTags }),
    ...(Object.keys(keepUntagged).length > 0 && { keepUntagged }),
  };
}
