import type { Keep, RetentionPolicy, RetentionRule } from "../../retain/retention.ts";
import { readSpan } from "../../../config/quantity.ts";
import { doublestarRegex, expandBraces } from "../doublestar.ts";
import { losses, type Losses } from "../fold.ts";
import { re2Fault } from "../regex.ts";
import { selectionOf, type Deletion, type Exception, type Parsed, type Scope } from "../rules.ts";
import { glob, regex, type TagPattern } from "../tag-pattern.ts";

type Groups = readonly (readonly TagPattern[])[];

/**
 * Reads a policy of Gantry's own that is right. A rule of which it cannot be said elsewhere what it selects, or keeps, keeps
 * all, and so do those after it, for what it may have taken from them.
 */
export function parseGantry(policy: RetentionPolicy): Parsed {
  const lost = losses();
  for (const key of ["minKeep", "maxDelete"] as const) {
    if (policy[key] !== undefined) lost.add(key, "is a brake, which others do not have: what it would stop goes there");
  }
  const protect = patternsOf(policy.protect ?? []);
  if (!protect) lost.add("protect", "selects tags by versions, or as others cannot: all tags are kept");
  const held: readonly Exception[] = (policy.protect ? [protect ?? []] : []).map((group) => ({
    at: "protect",
    selection: selectionOf("tagged", ...(protect ? [group] : [])),
    scope: [],
    by: "push",
  }));
  const deletions: Deletion[] = [];
  let taken: Taken = { tags: [], bare: [] };
  for (const [i, rule] of policy.rules.entries()) {
    const read: Read = { rule, at: rule.name ?? `rules[${i}]`, by: rule.by ?? policy.by ?? "pushed" };
    if (rule.orphaned)
      lost.add(read.at, "is about what is attached to nothing any more, which others do not say: left out");
    else if (rule.untagged) taken = readUntagged(read, taken, deletions, lost);
    else taken = readTags(read, taken, held, deletions, lost);
  }
  return {
    rules: { unit: "tag", countsParts: false, countsImages: true, wholeNames: true, deletions },
    losses: lost.all,
  };
}

interface Read {
  readonly rule: RetentionRule;
  readonly at: string;
  readonly by: "pushed" | "created";
}

/** What rules before have taken from those that follow: undefined where that may be anything. */
interface Taken {
  /** Groups of patterns, of each of which one has to fit what is left. */
  readonly tags: Groups | undefined;
  readonly bare: Scope | undefined;
}

function readTags(read: Read, taken: Taken, held: readonly Exception[], deletions: Deletion[], lost: Losses): Taken {
  const { rule, at } = read;
  const [tags, except] = [patternsOf(rule.tags ?? []), patternsOf(rule.except ?? [])];
  const scope = scopeOf(rule);
  if (!tags || !except) {
    lost.add(
      at,
      "selects tags by versions, or as others cannot: it is left out, with all after it that are about tags",
    );
    return { ...taken, tags: undefined };
  }
  const negated = (pattern: TagPattern): TagPattern => ({ ...pattern, negated: true });
  const own: Groups = [...(rule.tags ? [tags] : []), ...except.map((pattern) => [negated(pattern)])];
  const next = taken.tags && [
    ...taken.tags,
    // What it does not select: none of its patterns fits, or one of its exceptions does.
    ...(rule.tags ? tags : [glob("*")]).map((pattern) => [negated(pattern), ...except]),
  ];
  if (!taken.tags) lost.add(at, "comes after a rule of which it cannot be said what it leaves: left out");
  else if (!scope) lost.add(at, "is for repositories by what others cannot say: left out");
  else if (!isNothing([...own, ...taken.tags])) {
    const selection = selectionOf("tagged", ...own, ...taken.tags);
    const deletion = deletionOf(read, { selection, scope }, lost);
    if (deletion) deletions.push({ ...deletion, except: [...deletion.except, ...held] });
  }
  if (rule.repositories)
    lost.add(at, "is for some repositories: in others too, its tags are not left to those after it");
  return { ...taken, tags: next };
}

/** Whether something has to fit what nothing does. */
const isNothing = (groups: Groups): boolean =>
  groups.some((group) => group.every(({ negated, text }) => negated === true && text === "*"));

function readUntagged(read: Read, taken: Taken, deletions: Deletion[], lost: Losses): Taken {
  const { rule, at } = read;
  const scope = scopeOf(rule);
  if (!scope || !taken.bare) {
    lost.add(at, "is for repositories by what others cannot say: left out");
    return { ...taken, bare: undefined };
  }
  const isTaken = taken.bare.some(({ glob: text }) => text === "**");
  const within = [...scope, ...taken.bare];
  const deletion = isTaken ? undefined : deletionOf(read, { selection: selectionOf("untagged"), scope: within }, lost);
  if (deletion) deletions.push(deletion);
  const all = scope.length > 0 ? scope : [{ glob: "**", negated: false }];
  return { ...taken, bare: [...taken.bare, ...all.map((one) => ({ ...one, negated: true }))] };
}

/** What a rule deletes; undefined where that is nothing, or cannot be said. */
function deletionOf(
  { rule, at, by }: Read,
  { selection, scope }: Pick<Deletion, "selection" | "scope">,
  lost: Losses,
): Deletion | undefined {
  const leftOut = (why: string): undefined => lost.add(at, `${why}: left out`);
  const keeps = [rule.keep ?? []].flat();
  if (keeps.some(({ always }) => always)) return undefined;
  if (by === "created" && (rule.delete || keeps.length > 0)) return leftOut("goes by when images were built");
  const except: Exception[] = [];
  for (const keep of keeps) {
    const found = exceptionsOf(keep, { at, selection, scope: [] });
    if (!found) return leftOut("keeps by versions, streams, or when images were built");
    except.push(...found);
  }
  const olderThan = rule.delete && secondsOf(rule.delete.olderThan);
  return { at, selection, scope, ...(olderThan && { olderThan }), countsExceptions: true, except };
}

function exceptionsOf(
  { newest, by = "pushed", per, youngerThan, pulledWithin }: Keep,
  base: Pick<Exception, "at" | "selection" | "scope">,
): readonly Exception[] | undefined {
  if (by !== "pushed" || per !== undefined) return undefined;
  return [
    ...(newest === undefined ? [] : [{ ...base, newest, by: "push" as const }]),
    ...(youngerThan === undefined ? [] : [{ ...base, within: secondsOf(youngerThan), by: "push" as const }]),
    // What was never pulled counts as pulled when it was pushed.
    ...(pulledWithin === undefined ? [] : [{ ...base, within: secondsOf(pulledWithin), by: "activity" as const }]),
  ];
}

const secondsOf = (span: string): number => readSpan(span)! / 1000;

/** The patterns as others have them; undefined where one of them is a range of versions, or looks ahead or behind. */
function patternsOf(texts: readonly string[]): readonly TagPattern[] | undefined {
  const found = texts.map((text) => {
    if (text.startsWith("semver:")) return undefined;
    const [, expression] = /^\/(.+)\/$/s.exec(text) ?? [];
    if (expression !== undefined) return re2Fault(expression) === undefined ? regex(expression) : undefined;
    return /^[\w.*-]+$/.test(text) ? glob(text.replace(/\*+/g, "*")) : regex(doublestarRegex(text));
  });
  return found.every((one) => one !== undefined) ? found : undefined;
}

/** Where a rule is for; undefined where that cannot be said without the host. */
function scopeOf({ repositories }: RetentionRule): Scope | undefined {
  if (!repositories || repositories.includes("**")) return [];
  const globs = repositories.flatMap(expandBraces).map((text) => {
    const isName = !text.startsWith("/") && !text.startsWith("semver:") && !/^[^/]*[.:][^/]*\//.test(text);
    // Here ** is anything, elsewhere whole parts of a path.
    if (!isName || /^[*?[]/.test(text) || text.replace(/\/\*\*$/, "").includes("**")) return undefined;
    return text.replace(/\/\*\*$/, "/**/*");
  });
  if (!globs.every((one) => one !== undefined)) return undefined;
  return [{ glob: globs.length === 1 ? globs[0]! : `{${globs.join(",")}}`, negated: false }];
}
