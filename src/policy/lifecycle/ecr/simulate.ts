import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { day } from "../rules.ts";
import { fitter, glob } from "../tag-pattern.ts";
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
  const decided = Array.from<Decision<Image> | undefined>({ length: candidates.length });
  for (const rule of byPriority(document).filter(({ selection }) => selection.storageClass !== "archive")) {
    let rank = 0;
    candidates.forEach((candidate, i) => {
      if (!selects(rule, candidate.tags)) return;
      // What a rule before decides counts here, too.
      const place = rank++;
      decided[i] ??= decide(rule, candidate, place, options.now);
    });
  }
  return candidates.map(
    ({ image }, i) => decided[i] ?? { image, action: "keep", tags: [], reason: "no rule selects it" },
  );
}

/** Whether a rule selects an image with these tags. */
export function selects({ selection }: EcrRule, tags: readonly string[]): boolean {
  const { tagStatus } = selection;
  if (tagStatus === "any") return true;
  if (tagStatus === "untagged") return tags.length === 0;
  if (tags.length === 0) return false;
  for (const fits of fittersOf(selection)) if (!tags.some(fits)) return false;
  return true;
}

const read = new WeakMap<EcrRule["selection"], readonly ((tag: string) => boolean)[]>();

/** What tells whether tags are like the patterns of a selection, each made once. */
function fittersOf(selection: EcrRule["selection"]): readonly ((tag: string) => boolean)[] {
  let fitters = read.get(selection);
  if (!fitters) {
    const { tagPatternList = [], tagPrefixList = [] } = selection;
    const globs = [...tagPatternList, ...tagPrefixList.map((prefix) => `${prefix}*`)];
    fitters = globs.map((text) => fitter(glob(text)));
    read.set(selection, fitters);
  }
  return fitters;
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
