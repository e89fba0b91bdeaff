import { doublestarRegex } from "../doublestar.ts";
import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { readRegex } from "../regex.ts";
import { day } from "../rules.ts";
import {
  fromHarbor,
  numberOf,
  takesUntagged,
  type HarborDocument,
  type HarborRule,
  type Selector,
} from "./document.ts";

/**
 * By Harbor's source (src/pkg/retention): where any rule is for the repository, what no rule retains goes, all tags of an
 * image together; immutable ones stay, and what an index is made of is no artifact of its own.
 */
export function simulateHarbor<Image extends LifecycleImage>(
  document: HarborDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const candidates = candidatesOf(images, "image", options);
  // Rules know repositories by their names below the project.
  const name = options.repository.replace(/^[^/]*\//, "");
  const rules = document.rules.flatMap((rule, i) =>
    !rule.disabled && isFor(rule, name) ? [{ ...rule, at: `rules[${i}]` }] : [],
  );
  const retained = new Map<Candidate, string>();
  for (const rule of rules) {
    const selected = candidates.filter(
      ({ tags, isPart }) => !isPart && rule.tag_selectors.every((one) => selects(one, tags)),
    );
    for (const candidate of retains(rule, selected, options.now)) retained.set(candidate, rule.at);
  }
  return candidates.map((candidate) => {
    const { image, tags, isPart } = candidate;
    const keep = (reason: string): Decision<Image> => ({ image, action: "keep", tags: [], reason });
    const rule = retained.get(candidate);
    if (rules.length === 0) return keep("no rule is for this repository");
    if (isPart) return keep("an index is made of it");
    if (rule !== undefined) return { ...keep("it is retained"), rule };
    if (image.immutable) return keep("it is immutable");
    return { image, action: "delete", tags, reason: "no rule retains it" };
  });
}

function isFor({ scope_selectors: { repository } }: HarborRule, name: string): boolean {
  return repository.every(({ decoration, pattern }) => matches(pattern, name) === (decoration === "repoMatches"));
}

const matches = (pattern: string, text: string): boolean =>
  readRegex(`^(?:${doublestarRegex(fromHarbor(pattern))})$`).test(text);

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
