import { candidatesOf, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { someOf, type Warning } from "../warning.ts";
import { byPriority, type EcrDocument } from "./document.ts";
import { selects } from "./simulate.ts";

/** Lists of which all entries have to fit; counts that parts of indexes are in; rules that select nothing. */
export function warningsOfEcr(
  document: EcrDocument,
  images: readonly LifecycleImage[],
  options: SimulateOptions,
): readonly Warning[] {
  const candidates = candidatesOf(images, "image", options);
  const parts = candidates.filter(({ isPart, tags }) => isPart && tags.length === 0).length;
  return byPriority(document).flatMap((rule): readonly Warning[] => {
    const { at, selection } = rule;
    const { tagStatus, tagPatternList, tagPrefixList, countType } = selection;
    const list = tagPatternList ?? tagPrefixList ?? [];
    const selected = candidates.filter(({ tags }) => selects(rule, tags));
    const found: Warning[] = [];
    if (list.length > 1) {
      const anyOf = list.some((one) => {
        const alone = { ...selection, ...(tagPatternList ? { tagPatternList: [one] } : { tagPrefixList: [one] }) };
        return candidates.some(({ tags }) => selects({ ...rule, selection: alone }, tags));
      });
      const none = selected.length === 0 && anyOf ? "; here, none has: to mean any of them, write a rule for each" : "";
      found.push({ at: `${at}.selection`, message: `selects images that have tags for all of ${someOf(list)}${none}` });
    } else if (selected.length === 0) found.push({ at, message: "selects nothing here" });
    if (countType === "imageCountMoreThan" && tagStatus !== "tagged" && parts > 0) {
      found.push({
        at,
        message: `counts the ${parts} manifests that indexes are made of among its ${selection.countNumber}`,
      });
    }
    return found;
  });
}
