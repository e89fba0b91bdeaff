import type { Digest } from "../../oci/digest.ts";
import type { Plan } from "../../plan/plan.ts";
import { addReceipt, draftOf } from "./plan-promotion.ts";
import type { PromotionPolicy } from "./state.ts";

/** A tag that a rollback is about, as it is now. */
export interface RollbackTag {
  readonly tag: string;
  readonly names: Digest | null;
  /** Where it goes back to; null where it was new with the promotion. */
  readonly to: Digest | null;
  /** Whether that image is still in the repository. */
  readonly isThere: boolean;
  /** The versions of what it names, and of what it named before, where anything tells. */
  readonly releases?: { readonly names?: string; readonly to?: string };
  /** Who says that it must not move. */
  readonly immutable?: string;
  /** Why it stays as it is: a later promotion moved it. */
  readonly stays?: string;
}

/** What is to go back, and where that is. */
export interface RollbackState {
  readonly repository: string;
  readonly stage?: string;
  readonly tags: readonly RollbackTag[];
}

/**
 * Plans that tags go back to what they named before, with a receipt of that. Nothing is taken away: a tag that was new
 * stays. Where one cannot go back, as its image is gone or it must not move, none does.
 */
export function planRollback(policy: PromotionPolicy, state: RollbackState, now: Date): Plan {
  const { repository, stage } = state;
  const draft = draftOf(now);
  const moving: (RollbackTag & { readonly to: Digest })[] = [];
  let refused = false;
  for (const tag of state.tags) {
    const { names, to, isThere, immutable, stays } = tag;
    const at = `${repository}:${tag.tag}`;
    const keep = (why: string): void => void draft.kept.push({ at, ...(names && { digest: names }), why });
    const refuse = (why: string): void => {
      refused = true;
      draft.note("refused", at, why);
    };
    if (stays !== undefined) keep(stays);
    else if (to === null) keep("it was new with that promotion, and stays");
    else if (to === names) keep("it names that image already");
    else if (!isThere) refuse(`${to}, which it named before, is not there any more`);
    else if (immutable !== undefined && !policy.force)
      refuse(`it must not move: so says ${immutable} (--force moves it all the same)`);
    else moving.push({ ...tag, to });
  }
  if (refused) return draft.plan("rollback", policy.from);
  for (const [to, tags] of Map.groupBy(moving, (tag) => tag.to)) {
    const after = tags.map(({ tag, names, releases }) =>
      draft.add({
        do: "tag",
        at: `${repository}:${tag}`,
        why: `it goes back from ${releases?.names ?? names} to ${releases?.to ?? to}`,
        digest: to,
        before: names,
      }),
    );
    const release = tags.find(({ releases }) => releases?.to !== undefined)?.releases?.to;
    const receipt = {
      version: 1,
      kind: "rollback",
      when: now.toISOString(),
      who: policy.who,
      digest: to,
      from: `${repository}@${to}`,
      to: repository,
      ...(stage !== undefined && { stage }),
      tags: tags.map(({ tag, names }) => ({ tag, before: names })),
      ...(release !== undefined && { release }),
      gates: [],
      ...(policy.reason !== undefined && { reason: policy.reason }),
      tool: policy.tool,
    } as const;
    addReceipt(receipt, after, draft);
  }
  return draft.plan("rollback", policy.from);
}
