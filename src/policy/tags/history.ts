import * as v from "valibot";
import { checked, type Document } from "../../document/document.ts";
import type { Inventory } from "../../graph/inventory.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import type { Receipt } from "../promote/receipt.ts";

/** What tags were seen to name, by repository and tag: what a registry forgets. Moments are RFC 3339. */
export interface TagHistory {
  readonly version: 1;
  readonly repositories: Readonly<Record<string, Readonly<Record<string, TagPast>>>>;
}

export interface TagPast {
  /** What it named last; null where it was gone. */
  readonly digest: Digest | null;
  readonly since: string;
  /** What it named before, the last first. */
  readonly before?: readonly { readonly digest: Digest; readonly until: string }[];
}

/** So many are kept of a tag. */
const longest = 50;

const digest = v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "is no digest");
const past: v.GenericSchema<unknown, TagPast> = v.strictObject({
  digest: v.nullable(digest),
  since: v.string(),
  before: v.exactOptional(v.array(v.strictObject({ digest, until: v.string() }))),
});
const schema: v.GenericSchema<unknown, TagHistory> = v.strictObject({
  version: v.literal(1, "is a version that this Gantry does not know: it has to be 1"),
  repositories: v.record(v.string(), v.record(v.string(), past)),
});

export const noHistory: TagHistory = { version: 1, repositories: {} };

/** Reads a history. Throws INVALID. */
export const parseTagHistory = (document: Document): TagHistory => checked(schema, document);

/** A tag that something set, moved or took away; null where there is no such tag. */
export interface TagMove {
  readonly tag: string;
  readonly before: Digest | null;
  readonly digest: Digest | null;
  readonly when: string;
}

/** What the receipts of promotions say that became of a repository's tags. */
export const movesOfReceipts = (repository: string, receipts: readonly Receipt[]): readonly TagMove[] =>
  receipts.flatMap(({ to, when, digest: promoted, tags }) =>
    to === repository ? tags.map(({ tag, before }) => ({ tag, before, digest: promoted, when })) : [],
  );

/** A history with what is known of a repository's tags from elsewhere. */
export function withMoves(history: TagHistory, repository: string, moves: readonly TagMove[]): TagHistory {
  const known = new Map(Object.entries(history.repositories[repository] ?? {}));
  for (const { tag, before, digest: named, when } of moves.toSorted((a, b) => timeOf(a.when) - timeOf(b.when))) {
    const then = known.get(tag);
    const isLast = !then || timeOf(when) >= timeOf(then.since);
    const last = isLast ? { digest: named, since: when } : { digest: then.digest, since: then.since };
    const others = [named, then?.digest, before].filter((one) => one && one !== last.digest) as readonly Digest[];
    const earlier = [...others.map((one) => ({ digest: one, until: when })), ...(then?.before ?? [])];
    const distinct = earlier.filter((one, i) => earlier.findIndex((other) => other.digest === one.digest) === i);
    known.set(tag, { ...last, ...(distinct.length > 0 && { before: distinct.slice(0, longest) }) });
  }
  return { ...history, repositories: { ...history.repositories, [repository]: Object.fromEntries(known) } };
}

const timeOf = (moment: string): number => Date.parse(moment) || 0;

/** A history with what a repository's tags name now. What could not be read is left as it was. */
export function recordTags(history: TagHistory, inventory: Inventory, now: Date): TagHistory {
  const { repository, tags, gaps } = inventory;
  const known = new Map(Object.entries(history.repositories[repository] ?? {}));
  const at = now.toISOString();
  const names = new Set([...known.keys(), ...tags.keys()]);
  const recorded = [...names].toSorted().map((tag): [string, TagPast] => {
    const then = known.get(tag);
    const named = tags.get(tag) ?? null;
    if (then && (then.digest === named || (named === null && gaps.length > 0))) return [tag, then];
    const { digest: last, before = [] } = then ?? {};
    const all = last ? [{ digest: last, until: at }, ...before].slice(0, longest) : before;
    return [tag, { digest: named, since: at, ...(all.length > 0 && { before: all }) }];
  });
  return { ...history, repositories: { ...history.repositories, [repository]: Object.fromEntries(recorded) } };
}
