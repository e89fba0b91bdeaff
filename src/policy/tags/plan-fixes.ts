import type { Inventory } from "../../graph/inventory.ts";
import type { Plan, SetTag } from "../../plan/plan.ts";
import type { TagFinding } from "./finding.ts";

/** Plans to move the tags that are behind to the newest versions that they stand for; the other findings are for people to mend. */
export function planFixes(
  checked: readonly { readonly inventory: Inventory; readonly findings: readonly TagFinding[] }[],
  now: Date,
): Plan {
  const behind = checked.flatMap(({ inventory, findings }) =>
    findings.flatMap(({ rule, at, digest, message }) => {
      const before = inventory.tags.get(at.slice(inventory.repository.length + 1));
      return rule === "alias-behind" && digest && before ? [{ at, digest, before, why: message, rule }] : [];
    }),
  );
  const steps = behind.map((step, i): SetTag => ({ id: `${i + 1}`, do: "tag", ...step }));
  return { version: 1, kind: "tags", made: now.toISOString(), from: "tags check", steps, kept: [], notes: [] };
}
