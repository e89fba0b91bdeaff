import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { day } from "../rules.ts";
import { fitsTag, glob, type TagPattern } from "../tag-pattern.ts";
import { byPriority, type EcrDocument, type EcrRule } from "./document.ts";

/**
 * By ECR's evaluation rules: every rule sees all images that it selects, by priority; what a rule selects is nothing to
 * those after it, whether it goes or not; what an index is made of stays while the index does. ECR does not tell when an
 * image was archived: those are left alone.
 */
export function simulateEcr<Image extends LifecycleImage>(
  document: EcrDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const candidates = candidatesOf(images, "image", options).filter(({ image }) => image.state !== "archived");
  const decided = new Map<Candidate<Image>, Decision<Image>>();
  for (const rule of byPriority(document).filter(({ selection }) => selection.storageClass !== "archive")) {
    const selected = candidates.filter(({ tags }) => selects(rule, tags));
    selected.forEach((candidate, rank) => {
      if (!decided.has(candidate)) decided.set(candidate, decide(rule, candidate, rank, options.now));
    });
  }
  return candidates.map(
    (candidate) =>
      decided.get(candidate) ?? { image: candidate.image, action: "keep", tags: [], reason: "no rule selects it" },
  );
}

/** Whether a rule selects an image with these tags. */
export function selects({ selection }: EcrRule, tags: readonly string[]): boolean {
  const { tagStatus } = selection;
  if (tagStatus === "any") return true;
  if (tagStatus === "untagged") return tags.length === 0;
  return tags.length > 0 && patternsOf(selection).every((pattern) => tags.some((tag) => fitsTag(pattern, tag)));
}

const read = new WeakMap<EcrRule["selection"], readonly TagPattern[]>();

/** The patterns of a selection, each read once. */
function patternsOf(selection: EcrRule["selection"]): readonly TagPattern[] {
  const { tagPatternList = [], tagPrefixList = [] } = selection;
  const patterns = read.get(selection) ?? [...tagPatternList, ...tagPrefixList.map((prefix) => `${prefix}*`)].map(glob);
  read.set(selection, patterns);
  return patterns;
}

function decide<Image extends LifecycleImage>(
  { at, selection, action, rulePriority }: EcrRule & { readonly at: string },
  { image, tags, age, isPart, pulled, pushed }: Candidate<Image>,
  rank: number,
  now: number,
): Decision<Image> {
  const { countType, countNumber } = selection;
  const idle = (now - Math.max(pulled, pushed)) / 1000;
  const goes =
    countType === "imageCountMoreThan"
      ? rank >= countNumber
      : (countType === "sinceImagePulled" ? idle : age) > countNumber * day;
  const rule = { image, rule: at };
  if (!goes) return { ...rule, action: "keep", tags: [], reason: `the rule of priority ${rulePriority} keeps it` };
  if (isPart) return { ...rule, action: "keep", tags: [], reason: "an index is made of it" };
  const reason =
    countType === "imageCountMoreThan" ? `it is not among the newest ${countNumber}` : `${countNumber} days are over`;
  return { ...rule, action: action.type === "expire" ? "delete" : "archive", tags, reason };
}
