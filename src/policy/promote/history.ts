import type { Digest } from "../../oci/digest.ts";
import type { Receipt } from "./receipt.ts";

/** A receipt, and the artifact that it is in. */
export interface AttachedReceipt {
  readonly artifact: Digest;
  readonly receipt: Receipt;
}

/** The receipts that are attached to an image of a repository. */
export type ReceiptsOf = (digest: Digest) => Promise<readonly AttachedReceipt[]>;

/** How many moves of one tag are followed. */
const most = 200;

/**
 * What became of a tag, the last first: from the image that it names now to the one before, as each receipt says. Ends
 * where an image has no receipt of it. Clocks may differ: a receipt counts once, whatever its time.
 */
export async function tagHistory(
  tag: string,
  names: Digest | null,
  repository: string,
  receiptsOf: ReceiptsOf,
): Promise<readonly AttachedReceipt[]> {
  const found: AttachedReceipt[] = [];
  const seen = new Set<Digest>();
  let bound = Infinity;
  for (let at = names; at !== null && found.length < most;) {
    const open = (await receiptsOf(at))
      .filter(({ artifact, receipt }) => !seen.has(artifact) && moveOf(receipt, tag, repository) !== undefined)
      .toSorted(byTime);
    const next = open.find(({ receipt }) => Date.parse(receipt.when) < bound) ?? open[0];
    if (!next) break;
    seen.add(next.artifact);
    found.push(next);
    bound = Date.parse(next.receipt.when);
    at = moveOf(next.receipt, tag, repository)!;
  }
  return found;
}

/** The last first; of equal times, in the order of their digests. */
export function byTime(a: AttachedReceipt, b: AttachedReceipt): number {
  const [left, right] = [Date.parse(a.receipt.when), Date.parse(b.receipt.when)];
  return right - left || (a.artifact < b.artifact ? -1 : 1);
}

/** Where a tag was before its last promotion that no rollback took back. */
export interface Previous {
  readonly digest: Digest | null;
  /** The promotion that goes back. */
  readonly by: AttachedReceipt;
}

/** What a history says that a tag goes back to; undefined where it says nothing. */
export function previousOf(history: readonly AttachedReceipt[], tag: string): Previous | undefined {
  const stack: { readonly digest: Digest | null; readonly by?: AttachedReceipt }[] = [];
  for (const by of history.toReversed()) {
    const { kind, digest, tags } = by.receipt;
    const before = tags.find((moved) => moved.tag === tag)?.before ?? null;
    if (stack.length === 0) stack.push({ digest: before });
    if (kind === "rollback") {
      const back = stack.findLastIndex((one) => one.digest === digest);
      if (back >= 0) stack.length = back + 1;
      else stack.push({ digest });
    } else stack.push({ digest, by });
  }
  const [before, now] = stack.slice(-2);
  return before && now?.by ? { digest: before.digest, by: now.by } : undefined;
}

/** What a tag named before a receipt's move; undefined where that did not move it. */
function moveOf({ to, digest, tags }: Receipt, tag: string, repository: string): Digest | null | undefined {
  if (to !== repository) return undefined;
  const moved = tags.find((one) => one.tag === tag);
  return moved && moved.before !== digest ? moved.before : undefined;
}
