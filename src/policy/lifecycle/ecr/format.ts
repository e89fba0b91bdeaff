import { countWithExceptions, folded, losses, tellUnit, type Losses } from "../fold.ts";
import {
  areApart,
  covers,
  isConditional,
  wholeDays,
  type Deletion,
  type Exception,
  type FormatOptions,
  type Formatted,
  type Rules,
  type Selection,
} from "../rules.ts";
import { globsOf } from "../tag-pattern.ts";
import { mostRules } from "./check.ts";
import type { EcrRule } from "./document.ts";

type EcrSelection = Pick<EcrRule["selection"], "tagStatus" | "tagPatternList">;
type Count = Pick<EcrRule["selection"], "countType" | "countUnit" | "countNumber">;

interface Emitted {
  readonly rule: Omit<EcrRule, "rulePriority">;
  readonly selection: Selection;
  /** The seconds after which it deletes; none for one that only keeps or counts. */
  readonly age?: number;
}

/** As good as never, in days. */
const never: Count = { countType: "sinceImagePushed", countUnit: "days", countNumber: 36_500 };

/**
 * Writes rules for ECR, where what a rule selects is nothing to those after it: exceptions are rules that come first and
 * delete nothing.
 */
export function formatEcr(rules: Rules, options: FormatOptions = {}): Formatted {
  const lost = losses();
  tellUnit(rules, options, lost);
  let emitted: readonly Emitted[] = [];
  const order = { tagged: 0, untagged: 1, any: 2 };
  const deletions = folded(rules.deletions).toSorted((a, b) => order[a.selection.state] - order[b.selection.state]);
  for (const deletion of deletions) {
    const claims = claimsFor(deletion, lost);
    const count = countFor(deletion, rules, options.simpleImages === true, lost);
    const lists = listsOf(deletion.selection);
    if (!claims || !count) continue;
    if (!lists) {
      lost.add(deletion.at, "selects tags by what no pattern of ECR says: left out");
      continue;
    }
    const next = [...emitted];
    for (const claim of claims) emitClaim(claim, next);
    for (const list of lists) emitDeletion(deletion, list, count, next, lost);
    if (next.length > mostRules) {
      lost.add(deletion.at, `is left out: it would make more than ${mostRules} rules`);
      continue;
    }
    emitted = next;
    if (lists.length > 1 && deletion.beyond !== undefined) {
      lost.add(
        deletion.at,
        "counts what fits any of several patterns together; ECR counts each by itself and keeps more",
      );
    }
  }
  // A rule that only keeps is for those after it.
  const last = emitted.findLastIndex(({ rule }) => !isNever(rule));
  const written = emitted.slice(0, last + 1).map(({ rule }, i) => ({ rulePriority: i + 1, ...rule }));
  return { document: written.length > 0 ? { rules: written } : undefined, losses: lost.all };
}

const isNever = ({ selection }: Emitted["rule"]): boolean =>
  selection.countType === never.countType && selection.countNumber === never.countNumber;

/** What has to be kept from a deletion; undefined where that is all of it. */
function claimsFor(deletion: Deletion, lost: Losses): readonly Exception[] | undefined {
  const claims: Exception[] = [];
  for (const exception of deletion.except) {
    const { at } = exception;
    const lists = listsOf(exception.selection);
    const claim: Exception = lists ? exception : { ...exception, selection: { ...exception.selection, tags: [] } };
    if (isConditional(exception))
      lost.add(at, "keeps for a time or some of the newest; ECR can only keep all it selects, and does");
    if (!lists) lost.add(at, "keeps tags by what no pattern of ECR says: all that have tags are kept");
    if (exception.scope.length > 0)
      lost.add(at, "is for some repositories; a policy of ECR is for the one it is set to");
    if (covers(claim.selection, deletion.selection)) {
      return lost.add(deletion.at, `is left out: what ${at} keeps is all of it, as far as ECR can say`);
    }
    claims.push(claim);
  }
  return claims;
}

function countFor(deletion: Deletion, rules: Rules, simple: boolean, lost: Losses): Count | undefined {
  const { at, olderThan, newerThan, beyond, selection, scope } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  if (scope.length > 0) return leftOut("is for some repositories, and a policy of ECR is for the one it is set to");
  if (newerThan !== undefined) return leftOut("deletes what is young, which ECR does not");
  if (rules.unit === "tag" && selection.tags.length > 0 && !simple) {
    return leftOut(
      "deletes single tags, and ECR would delete other tags of the image too (--simple-images, if there are none)",
    );
  }
  if (beyond === undefined) {
    if ((olderThan ?? 0) % 86_400 !== 0 || !olderThan)
      lost.add(at, "deletes after less than a whole day; ECR waits for it");
    return { countType: "sinceImagePushed", countUnit: "days", countNumber: Math.max(1, wholeDays(olderThan ?? 0)) };
  }
  if (olderThan) return leftOut("goes by age and number together, and a rule of ECR by one of them");
  if (!rules.countsParts && !simple && selection.state !== "tagged") {
    return leftOut(
      "counts images, and ECR counts every manifest that they are made of too (--simple-images, if there are none)",
    );
  }
  const count = countWithExceptions(deletion, lost);
  if (count === undefined) return leftOut("does not count what it keeps, and ECR does");
  if (count === 0) lost.add(at, "keeps none of the newest: ECR keeps one at least");
  return { countType: "imageCountMoreThan", countNumber: Math.max(1, count) };
}

/** The selections of ECR that together mean the same; undefined where none do. */
function listsOf({ state, tags }: Selection): readonly EcrSelection[] | undefined {
  if (state === "untagged" || (state === "any" && tags.length === 0)) return [{ tagStatus: state }];
  let lists: readonly (readonly string[])[] = [[]];
  for (const group of tags) {
    const globs = group.map((pattern) => (pattern.negated ? undefined : globsOf(pattern)));
    if (!globs.every((one) => one?.every((text) => /^[\w.*-]{1,128}$/.test(text) && text.split("*").length <= 5)))
      return undefined;
    lists = lists.flatMap((list) => globs.flatMap((one) => one!.map((text) => [...list, text])));
    if (lists.length > 50) return undefined;
  }
  const tagged = lists.map((list) => ({
    tagStatus: "tagged" as const,
    tagPatternList: list.length > 0 ? [...new Set(list)] : ["*"],
  }));
  return state === "any" ? [...tagged, { tagStatus: "untagged" }] : tagged;
}

const keyOf = ({ tagStatus, tagPatternList = [] }: EcrSelection): string =>
  [tagStatus, ...tagPatternList.toSorted()].join(" ");

const isTaken = (list: EcrSelection, emitted: readonly Emitted[]): boolean =>
  emitted.some(({ rule }) => keyOf(rule.selection) === keyOf(list));

function emitClaim({ selection, at }: Exception, emitted: Emitted[]): void {
  if (emitted.some((one) => covers(one.selection, selection))) return;
  for (const list of listsOf(selection) ?? []) {
    if (isTaken(list, emitted)) continue;
    emitted.push({
      selection,
      rule: { description: `keeps: ${at}`, selection: { ...list, ...never }, action: { type: "expire" } },
    });
  }
}

function emitDeletion(deletion: Deletion, list: EcrSelection, count: Count, emitted: Emitted[], lost: Losses): void {
  const { at, selection, except } = deletion;
  if (isTaken(list, emitted)) {
    lost.add(at, "selects what another rule does, which ECR does not allow: left out");
    return;
  }
  const age = count.countType === "imageCountMoreThan" ? undefined : count.countNumber;
  for (const before of emitted) {
    const isSooner = before.age !== undefined && age !== undefined && before.age <= age;
    const isMeant = except.some((one) => covers(one.selection, before.selection));
    if (isSooner || isMeant || areApart(before.selection, selection) || before.selection === selection) continue;
    lost.add(at, "no longer deletes what a rule before it selects, as ECR has it");
  }
  const rule = { description: at, selection: { ...list, ...count }, action: { type: "expire" as const } };
  emitted.push({ selection, rule, ...(age !== undefined && { age }) });
}
