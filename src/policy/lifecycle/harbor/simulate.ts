import { doublestarRegex } from "../doublestar.ts";
import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { notGlob, readRegex } from "../regex.ts";
import { day } from "../rules.ts";
import {
  fromHarbor,
  numberOf,
  rulesIn,
  takesUntagged,
  type HarborDocument,
  type HarborRule,
  type ImmutableRule,
  type Selector,
} from "./document.ts";

/**
 * By Harbor's source (src/pkg/retention): where any rule is for the repository, what no rule retains goes, all tags of an
 * image together; immutable ones stay, and so does what an index is made of, which counts where it has a tag.
 */
export function simulateHarbor<Image extends LifecycleImage>(
  document: HarborDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const candidates = candidatesOf(images, "image", options);
  const { rules, immutable } = rulesFor(document, options.repository);
  const retained = new Map<Candidate, string>();
  for (const rule of rules) {
    for (const candidate of retains(rule, selectedBy(rule, candidates), options.now)) retained.set(candidate, rule.at);
  }
  const held = new Map(immutable.flatMap((rule) => selectedBy(rule, candidates).map((one) => [one, rule.at] as const)));
  return candidates.map((candidate) => {
    const { image, tags, isPart } = candidate;
    const keep = (reason: string): Decision<Image> => ({ image, action: "keep", tags: [], reason });
    const rule = retained.get(candidate);
    if (rules.length === 0) return keep("no rule is for this repository");
    if (isPart) return keep("an index is made of it");
    if (rule !== undefined) return { ...keep("it is retained"), rule };
    const holder = held.get(candidate);
    if (holder !== undefined) return { ...keep("it is immutable"), rule: holder };
    if (image.immutable) return keep("it is immutable");
    return { image, action: "delete", tags, reason: "no rule retains it" };
  });
}

/** The rules that are for a repository, which they know by its name below the project. */
export function rulesFor(document: HarborDocument, repository: string): ReturnType<typeof rulesIn> {
  const name = repository.replace(/^[^/]*\//, "");
  const { rules, immutable } = rulesIn(document);
  return { rules: rules.filter((rule) => isFor(rule, name)), immutable: immutable.filter((rule) => isFor(rule, name)) };
}

/** The images that the selectors of a rule all take. */
export function selectedBy<Any extends Candidate>(
  { tag_selectors: selectors }: ImmutableRule,
  all: readonly Any[],
): readonly Any[] {
  return all.filter(
    ({ tags, isPart }) => !(isPart && tags.length === 0) && selectors.every((one) => selects(one, tags)),
  );
}

function isFor({ scope_selectors: { repository } }: ImmutableRule, name: string): boolean {
  return repository.every(({ decoration, pattern }) => matches(pattern, name) === (decoration === "repoMatches"));
}

const matches = (pattern: string, text: string): boolean =>
  readRegex(`^(?:${doublestarRegex(fromHarbor(pattern))})$`, pattern, notGlob).test(text);

function selects(selector: Selector, tags: readonly string[]): boolean {
  if (tags.length === 0) return takesUntagged(selector);
  return tags.some((tag) => matches(selector.pattern, tag) === (selector.decoration === "matches"));
}

function retains(rule: HarborRule, selected: readonly Candidate[], now: number): readonly Candidate[] {
  const number = numberOf(rule);
  const active = ({ pushed, pulled }: Candidate): number => Math.max(pushed, pulled);
  const newest = (by: (one: Candidate) => number): readonly Candidate[] =>
    selected.toSorted((a, b) => by(b) - by(a)).slice(0, number);
  switch (rule.template) {
    case "always":
      return selected;
    case "latestPushedK":
      return newest(({ pushed }) => pushed);
    case "latestPulledN":
      return newest(({ pulled }) => pulled);
    case "latestActiveK":
      return newest(active);
    case "lastXDays":
      return selected.filter(({ age }) => age < number * day);
    case "nDaysSinceLastPush":
      return selected.filter(({ age }) => age <= number * day);
    default:
      return selected.filter(({ pulled }) => (now - pulled) / 1000 <= number * day);
  }
}
