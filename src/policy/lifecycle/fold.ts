import type { Loss } from "./fault.ts";
import {
  areApart,
  covers,
  coversScope,
  isConditional,
  type Deletion,
  type Exception,
  type FormatOptions,
  type Rules,
} from "./rules.ts";

/**
 * Deletions that delete the same, with as much as possible said by conditions of their own in place of exceptions, and
 * without exceptions that change nothing and deletions that delete nothing.
 */
export function folded(deletions: readonly Deletion[]): readonly Deletion[] {
  const all = deletions.flatMap((deletion) => foldOne(deletion) ?? []);
  return all.filter(
    (one, i) => !all.some((other, j) => i !== j && isSwallowed(one, other) && !(j > i && isSwallowed(other, one))),
  );
}

/** Whether one deletion deletes nothing that another does not. */
function isSwallowed(one: Deletion, other: Deletion): boolean {
  return (
    other.beyond === undefined &&
    other.newerThan === undefined &&
    (other.olderThan ?? 0) <= (one.olderThan ?? 0) &&
    covers(other.selection, one.selection) &&
    coversScope(other.scope, one.scope) &&
    other.except.every((exception) => one.except.some((kept) => isWithin(exception, kept)))
  );
}

function foldOne(deletion: Deletion): Deletion | undefined {
  let [result, rest]: [Deletion, Exception[]] = [{ ...deletion, except: [] }, []];
  for (const exception of deletion.except) {
    if (areApart(exception.selection, deletion.selection)) continue;
    const { newest, within, by, olderThan } = exception;
    const isWhole = covers(exception.selection, deletion.selection) && coversScope(exception.scope, deletion.scope);
    if (isWhole && !isConditional(exception)) return undefined;
    const isFoldable = isWhole && by === "push" && olderThan === undefined;
    const isEqual = covers(deletion.selection, exception.selection) && coversScope(deletion.scope, exception.scope);
    if (isFoldable && newest === undefined) {
      result = { ...result, olderThan: Math.max(result.olderThan ?? 0, within ?? 0) };
    } else if (isFoldable && within === undefined && isEqual && result.beyond === undefined) {
      result = { ...result, beyond: newest!, countsExceptions: true };
    } else rest.push(exception);
  }
  return { ...result, except: rest };
}

/**
 * The same deletions without exceptions for images that another deletion takes at least as soon: what is left is one
 * union, in which they change nothing.
 */
export function withoutRedundant(deletions: readonly Deletion[]): readonly Deletion[] {
  return deletions.map((deletion) => {
    // Places among the newest are taken up by exceptions, too.
    if (deletion.beyond !== undefined) return deletion;
    let except = [...deletion.except];
    const [gone, needed]: [Exception[], Exception[]] = [[], []];
    for (const exception of deletion.except) {
      if (needed.includes(exception)) continue;
      const taker = deletions.find((other) => other !== deletion && takes(other, exception, deletion));
      // What that one leaves alone has to stay an exception here, unless it is known to be taken by a third.
      const left = taker?.except.filter((one) => !gone.some((two) => isWithin(one, two)));
      const kept = left?.map((one) => except.find((two) => two !== exception && isWithin(one, two)));
      if (!kept || kept.includes(undefined)) continue;
      needed.push(...kept.filter((one) => one !== undefined));
      if (kept.length === 0) gone.push(exception);
      except = except.filter((one) => one !== exception);
    }
    return { ...deletion, except };
  });
}

/**
 * The same deletions, with exceptions for images that a deletion before takes at some age said by that age: what is older
 * goes by the one anyway, so that the other need not leave it alone.
 */
export function softened(deletions: readonly Deletion[]): readonly Deletion[] {
  return deletions.map((deletion, i) => {
    const soften = (exception: Exception, place: number): readonly Exception[] => {
      // What the other leaves alone has to be left alone here by exceptions before this one, or be taken as they say.
      const before = new Set(deletion.except.slice(0, place).map(({ at }) => at));
      const taker = deletions
        .slice(0, i)
        .find(
          (other) =>
            takes({ ...other, olderThan: 0 }, exception, deletion) && other.except.every(({ at }) => before.has(at)),
        );
      if (!taker) return [exception];
      return taker.olderThan === undefined ? [] : [{ ...exception, within: taker.olderThan }];
    };
    return { ...deletion, except: deletion.except.flatMap(soften) };
  });
}

/** Whether `other` deletes all that a deletion would but for an exception, its own exceptions apart. */
function takes(other: Deletion, exception: Exception, deletion: Deletion): boolean {
  return (
    !isConditional(exception) &&
    other.beyond === undefined &&
    other.newerThan === undefined &&
    (other.olderThan ?? 0) <= (deletion.olderThan ?? 0) &&
    covers(other.selection, exception.selection) &&
    coversScope(other.scope, exception.scope)
  );
}

const isWithin = (one: Exception, two: Exception): boolean =>
  !isConditional(two) && covers(two.selection, one.selection) && coversScope(two.scope, one.scope);

/** The count of a rule for a service that counts what it keeps too: undefined where that may be any number. */
export function countWithExceptions(
  { at, beyond = 0, countsExceptions, except }: Deletion,
  lost?: Losses,
): number | undefined {
  if (countsExceptions) return beyond;
  let extra = 0;
  for (const { selection } of except) {
    const [group, ...more] = selection.tags;
    const single = group?.length === 1 ? group[0] : undefined;
    if (selection.state !== "tagged" || more.length > 0 || !single || single.negated || !/^[\w-]+$/.test(single.text)) {
      return undefined;
    }
    extra++;
  }
  if (extra > 0)
    lost?.add(at, `does not count ${extra} that it keeps: as they are counted here, so many more are kept`);
  return beyond + extra;
}

/** Tells that a service deletes whole images where a policy deletes single tags. */
export function tellUnit(rules: Rules, { simpleImages = false }: FormatOptions, lost: Losses): void {
  if (rules.unit === "image" || simpleImages) return;
  for (const { at } of rules.deletions) {
    lost.add(
      at,
      "deletes and counts single tags: here, images are counted, and one stays whole while one of its tags does",
    );
  }
}

/** Tells of scopes by whole names, for a service that knows repositories by what is below a project. */
export function tellNames({ wholeNames, deletions }: Rules, lost: Losses): void {
  for (const { at, scope } of wholeNames ? deletions : []) {
    if (scope.length > 0)
      lost.add(at, "is for repositories by their whole names: here they count from below a project");
  }
}

/** Collects losses. */
export interface Losses {
  readonly all: readonly Loss[];
  readonly add: (at: string, message: string) => undefined;
}

export function losses(): Losses {
  const all: Loss[] = [];
  return {
    all,
    add(at, message) {
      if (!all.some((one) => one.at === at && one.message === message)) all.push({ at, message });
      return undefined;
    },
  };
}
