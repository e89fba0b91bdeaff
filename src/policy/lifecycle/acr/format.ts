import { folded, losses, withoutRedundant } from "../fold.ts";
import { wholeDays, type Formatted, type Rules } from "../rules.ts";
import { mostDays } from "./check.ts";

/** Writes a retention policy, which is about images without tags alone. */
export function formatAcr(rules: Rules): Formatted {
  const lost = losses();
  const days = withoutRedundant(folded(rules.deletions)).flatMap((deletion) => {
    const { at, selection, olderThan = 0, newerThan, beyond, except, scope } = deletion;
    const leftOut = (why: string): readonly number[] => lost.add(at, `${why}: left out`) ?? [];
    if (selection.state === "tagged" || (rules.unit === "tag" && selection.state === "any"))
      return leftOut("deletes what has tags, which Azure does not");
    if (scope.length > 0) return leftOut("is for some repositories, and Azure's policy for the whole registry");
    if (beyond !== undefined || newerThan !== undefined) return leftOut("does not go by age alone, as Azure does");
    if (except.some((one) => one.selection.state !== "tagged")) return leftOut("leaves out what Azure would not");
    if (wholeDays(olderThan) > mostDays)
      return leftOut(`waits for more than ${mostDays} days, the most that Azure does`);
    if (selection.state === "any") lost.add(at, "deletes what has tags too: with Azure, that stays");
    if (olderThan % 86_400 !== 0) lost.add(at, "is not a number of whole days: the next is taken");
    return [wholeDays(olderThan)];
  });
  const document = days.length > 0 ? { days: Math.min(...days), status: "enabled" } : undefined;
  return { document, losses: lost.all };
}
