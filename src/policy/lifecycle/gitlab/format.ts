import { losses, type Losses } from "../fold.ts";
import { day, type FormatOptions, type Formatted, type Rules } from "../rules.ts";
import { fitsTag, unionOf, type TagPattern } from "../tag-pattern.ts";
import { alternativesOf } from "../regex.ts";
import { tagDeletions, type TagDeletion } from "../tag-rules.ts";
import { ageDays, keepCounts } from "./check.ts";
import type { GitlabDocument } from "./document.ts";

/** Writes a cleanup policy, of which there is one. */
export function formatGitlab(rules: Rules, options: FormatOptions = {}): Formatted {
  const lost = losses();
  const found = tagDeletions(rules, options, lost).flatMap((deletion) => sayable(deletion, lost) ?? []);
  const [first, ...others] = found;
  if (!first) return { document: undefined, losses: lost.all };
  const same = others.filter((other) => isAlike(first, other));
  for (const { at } of others.filter((other) => !same.includes(other))) {
    lost.add(at, "is left out: GitLab has one policy for all, and it is another rule's");
  }
  return { document: documentOf(first, [first, ...same], lost), losses: lost.all };
}

interface Sayable extends TagDeletion {
  readonly keep?: number;
  readonly days?: number;
}

function sayable(deletion: TagDeletion, lost: Losses): Sayable | undefined {
  const { at, tags, except, beyond, olderThan } = deletion;
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  if ([...tags, ...except].some(({ negated }) => negated))
    return leftOut("is for tags that do not fit, which GitLab cannot say");
  const keep = beyond === undefined ? undefined : keepCounts.find((count) => count >= beyond);
  if (beyond !== undefined && keep === undefined)
    return leftOut(`keeps ${beyond}, and GitLab ${keepCounts.at(-1)} at most`);
  const days = olderThan === 0 ? undefined : ageDays.find((days) => days * day >= olderThan);
  if (olderThan > 0 && days === undefined)
    return leftOut(`waits longer than the ${ageDays.at(-1)} days that GitLab does at most`);
  if (keep !== undefined && keep !== beyond) lost.add(at, `keeps ${beyond}: with GitLab ${keep}, the next that it has`);
  if (days !== undefined && days * day !== olderThan)
    lost.add(at, `waits for ${olderThan / day} days: with GitLab ${days}, the next that it has`);
  return { ...deletion, ...(keep !== undefined && { keep }), ...(days !== undefined && { days }) };
}

/** Whether two rules can be one. */
function isAlike(one: Sayable, other: Sayable): boolean {
  const texts = ({ except }: Sayable): string => JSON.stringify(except);
  return one.keep === undefined && other.keep === undefined && one.days === other.days && texts(one) === texts(other);
}

function documentOf(first: Sayable, all: readonly Sayable[], lost: Losses): GitlabDocument {
  const isLatest = (pattern: TagPattern): boolean => pattern.text === "latest";
  const tags = all.flatMap((one) => one.tags);
  if (tags.some((pattern) => fitsTag(pattern, "latest")) && !first.except.some(isLatest)) {
    lost.add(first.at, "deletes latest too: GitLab never does");
  }
  const keep = first.except.filter((pattern) => !isLatest(pattern));
  // What is left out stays as it was.
  return {
    enabled: true,
    cadence: "1d",
    keep_n: first.keep ?? null,
    older_than: first.days === undefined ? null : `${first.days}d`,
    name_regex: grouped(unionOf(tags)),
    name_regex_keep: keep.length > 0 ? grouped(unionOf(keep)) : null,
  };
}

const grouped = (text: string): string => (alternativesOf(text).length > 1 ? `(?:${text})` : text);
