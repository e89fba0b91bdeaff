import type { Losses } from "../fold.ts";
import { areApart, isConditional, type Deletion } from "../rules.ts";
import { ownKeeps, tellTogether, type Source, type Untagged } from "./target.ts";

/** When what has no tag goes, and what of it is kept; undefined where all is. */
export function untaggedFor(deletions: readonly Deletion[], source: Source, lost: Losses): Untagged | undefined {
  const [first, ...others] = deletions.flatMap((deletion) =>
    deletion.selection.state === "tagged" ? [] : (untaggedOf(deletion, source, lost) ?? []),
  );
  for (const { at } of others) {
    lost.add(at, `deletes what has no tag by another rule than ${first!.at}: here there is one, and that one counts`);
  }
  return first;
}

function untaggedOf(deletion: Deletion, { rules, target, isSimple }: Source, lost: Losses): Untagged | undefined {
  const { at, olderThan = 0, newerThan, beyond } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: what has no tag stays`);
  if (newerThan !== undefined) return leftOut("deletes what is young");
  const except = deletion.except.filter((one) => !areApart(one.selection, { state: "untagged", tags: [] }));
  if (except.some((one) => !isConditional(one))) return leftOut("keeps all of it");
  const counts = beyond !== undefined || except.some(({ newest }) => newest !== undefined);
  if (counts && !isSimple && target.countsParts && !rules.countsParts) {
    return leftOut(
      "counts images, and here what they are made of counts too (--simple-images, if each has one platform)",
    );
  }
  if (counts && !isSimple && !target.countsParts && rules.countsParts) {
    lost.add(at, "counts what images are made of, too: here that does not count, and more is kept");
  }
  tellTogether(deletion, except, lost);
  const keeps = [...ownKeeps({ ...deletion, olderThan: 0 }), ...except];
  return target.canKeep(keeps) ? { at, wait: olderThan, keeps } : leftOut("keeps by what cannot be said here");
}
