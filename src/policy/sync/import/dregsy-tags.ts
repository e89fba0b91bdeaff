import type { TagSet } from "../sync-file.ts";
import { bothRegexes, wholeRegex } from "./go-regex.ts";
import type { Draft, Path } from "./imported.ts";
import { rangeLoss, rangeSet } from "./ranges.ts";

/** A filter of dregsy that fits a whole tag, or one that fits none (`!`). */
interface Filter {
  readonly regex: string;
  readonly not: boolean;
}

/**
 * The tags of a mapping as sets of ours (README.md, "Tag Filtering", "Tag Set Pruning"); none for all tags, `nothing` where
 * what was to be selected cannot be said.
 */
export function dregsyTags(draft: Draft, tags: readonly string[], path: Path): readonly TagSet[] | "nothing" {
  const read = (mark: string): readonly (readonly [text: string, at: Path])[] =>
    tags.flatMap((tag, i) => (tag.startsWith(mark) ? [[tag.slice(mark.length).trim(), [...path, i]] as const] : []));
  const isCount = (text: string): boolean => /^latest\s+\d+$/.test(text);
  const keeps = read("keep:").filter(([text]) => !isCount(text));
  const newest = read("keep:").findLast(([text]) => isCount(text));
  const exact = tags.filter((tag) => !/^(?:semver|regex|keep):/.test(tag));
  const open = [...read("semver:"), ...read("regex:")].length > 0 || exact.length === 0;
  const kept = keeps.map(([text, at]) => filterOf(draft, text, at));
  if (open && kept.includes(undefined)) return draft.lose(path, "cannot be said: the mapping is left out") ?? "nothing";
  const filters = kept.filter((filter) => filter !== undefined);

  const sets: TagSet[] = [];
  const ranges = read("semver:").flatMap(([text, at]) => rangeOf(draft, text, at));
  sets.push(...ranges.map((set) => pruned(set, filters)));
  const found = read("regex:").flatMap(([text, at]) => filterOf(draft, text, at) ?? []);
  const plain = found.filter(({ not }) => !not).map(({ regex }) => regex);
  if (plain.length > 0) sets.push(pruned({ include: plain.map((regex) => `/${regex}/`) }, filters));
  sets.push(...found.filter(({ not }) => not).map(({ regex }) => pruned({ exclude: [`/${regex}/`] }, filters)));
  if (tags.every((tag) => tag.startsWith("keep:")) && (filters.length > 0 || newest)) sets.push(pruned({}, filters));

  const limited = newest ? sets.map((set) => limit(set, Number(newest[0].split(/\s+/)[1]))) : sets;
  if (newest) draft.lose(newest[1], newestLoss(sets.length, exact.length));
  if (exact.length > 0) limited.push({ include: exact });
  return limited.length === 0 && tags.length > 0 ? "nothing" : limited;
}

const limit = (set: TagSet, newest: number): TagSet => ({ ...set, newest, by: "semver" });

function newestLoss(sets: number, exact: number): string {
  const each =
    sets > 1 ? ", and counts in each set by itself" : exact > 0 ? ", and does not count the tags that are named" : "";
  return `takes versions alone, where dregsy lets all other tags be${each}`;
}

function rangeOf(draft: Draft, text: string, path: Path): TagSet[] {
  const set = rangeSet(text, true);
  draft.lose(path, set ? rangeLoss : "cannot be said, and is left out");
  return set ? [set] : [];
}

function filterOf(draft: Draft, text: string, path: Path): Filter | undefined {
  const not = text.startsWith("!");
  const bare = not ? text.slice(1) : text;
  const regex = wholeRegex(`${bare.startsWith("^") ? "" : "^"}${bare}${bare.endsWith("$") ? "" : "$"}`);
  return regex === undefined ? draft.lose(path, "cannot be said, and is left out") : { regex, not };
}

/** A set with filters that all have to fit. */
function pruned(set: TagSet, filters: readonly Filter[]): TagSet {
  const not = filters.filter((one) => one.not).map(({ regex }) => `/${regex}/`);
  const all = filters.filter((one) => !one.not).map(({ regex }) => regex);
  const exclude = [...(set.exclude ?? []), ...not];
  const rest = all.length > 0 ? all.reduce(bothRegexes) : undefined;
  const include =
    rest === undefined
      ? set.include
      : (set.include?.map((one) => `/${bothRegexes(rest, one.slice(1, -1))}/`) ?? [`/${rest}/`]);
  return { ...set, ...(include && { include }), ...(exclude.length > 0 && { exclude }) };
}
