import { candidatesOf, type Candidate, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { nameOf, someOf, type Warning } from "../warning.ts";
import type { HarborDocument } from "./document.ts";
import { rulesFor, selectedBy, simulateHarbor } from "./simulate.ts";

/** Images that were never pulled and go; selectors that fit nothing; tags that stay by another tag of their image. */
export function warningsOfHarbor(
  document: HarborDocument,
  images: readonly LifecycleImage[],
  options: SimulateOptions,
): readonly Warning[] {
  const candidates = candidatesOf(images, "image", options);
  const { rules, immutable } = rulesFor(document, options.repository);
  if (rules.length === 0 || candidates.length === 0) return [];
  const decisions = simulateHarbor(document, images, options);
  const goes = new Set(decisions.filter(({ action }) => action === "delete").map(({ image }) => image));
  const found: Warning[] = [];
  for (const rule of rules) {
    const selected = selectedBy(rule, candidates);
    if (selected.length === 0) {
      const patterns = rule.tag_selectors.map(({ decoration, pattern }) => `${decoration} ${pattern}`).join(", ");
      found.push({
        at: rule.at,
        message: `retains nothing here: no image fits its selector (${patterns}), and what no rule retains goes`,
      });
    }
    const never = selected.filter(({ pulled, image }) => pulled === 0 && goes.has(image));
    if (never.length > 0 && (rule.template === "nDaysSinceLastPull" || rule.template === "latestPulledN")) {
      const names = someOf(never.map(({ image }) => nameOf(image)));
      found.push({
        at: rule.at,
        message: `does not retain what was never pulled, however new it is: ${names} would go`,
      });
    }
  }
  const kept = candidates.filter(({ image, isPart }) => !isPart && !goes.has(image));
  return [
    ...found,
    ...immutable.flatMap((rule) => unfit(rule.at, selectedBy(rule, candidates))),
    ...along(kept, rules),
  ];
}

const unfit = (at: string, selected: readonly Candidate[]): readonly Warning[] =>
  selected.length > 0 ? [] : [{ at, message: "holds nothing here: no tag fits its selector" }];

/** Tags that no rule selects, of images that stay by another tag. */
function along(kept: readonly Candidate[], rules: ReturnType<typeof rulesFor>["rules"]): readonly Warning[] {
  const tags = kept.flatMap((candidate) => {
    if (candidate.tags.length < 2) return [];
    return candidate.tags.filter(
      (tag) => !rules.some((rule) => selectedBy(rule, [{ ...candidate, tags: [tag] }]).length > 0),
    );
  });
  if (tags.length === 0) return [];
  const at = rules[0]!.at.replace(/\[\d+\]$/, "");
  return [
    { at, message: `fits no tag of ${someOf(tags)}: they stay with their images, which have others that are retained` },
  ];
}
