import { losses } from "../fold.ts";
import { day, selectionOf, type Deletion, type Exception, type Parsed, type Selection } from "../rules.ts";
import { glob } from "../tag-pattern.ts";
import { byPriority, type EcrDocument, type EcrRule } from "./document.ts";

/** Reads a policy: each rule but for what those before it select. */
export function parseEcr(document: EcrDocument): Parsed {
  const lost = losses();
  const claims: Exception[] = [];
  const deletions: Deletion[] = [];
  for (const rule of byPriority(document)) {
    const { at, selection, action } = rule;
    if (selection.storageClass === "archive") {
      lost.add(at, "is about archived images, which only ECR has: left out");
      continue;
    }
    const selected = selectionIn(rule);
    if (action.type === "expire") {
      const isCount = selection.countType === "imageCountMoreThan";
      deletions.push({
        at,
        selection: selected,
        scope: [],
        ...(isCount ? { beyond: selection.countNumber } : { olderThan: selection.countNumber * day }),
        countsExceptions: true,
        except: [...claims],
      });
    } else lost.add(at, "archives images, which only ECR does: they are kept as they are");
    claims.push({ at, selection: selected, scope: [], by: "push" });
  }
  return { rules: { unit: "image", countsParts: true, deletions }, losses: lost.all };
}

/** Lists are to be fitted one and all. */
function selectionIn({ selection }: EcrRule): Selection {
  const { tagStatus, tagPatternList = [], tagPrefixList = [] } = selection;
  if (tagStatus !== "tagged") return selectionOf(tagStatus);
  const patterns = [...tagPatternList, ...tagPrefixList.map((prefix) => `${prefix}*`)];
  return selectionOf("tagged", ...patterns.map((pattern) => [glob(pattern)]));
}
