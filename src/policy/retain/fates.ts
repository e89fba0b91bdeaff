import type { Held } from "../../graph/inventory.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Contents } from "./contents.ts";
import type { Fate, Verdicts } from "./verdicts.ts";

/** Why a manifest stays with all its tags, whatever a policy says; undefined where nothing speaks for it. */
export type Spared = (held: Held) => string | undefined;

/** What becomes of each tag and each image without one, before anybody asks who needs it. */
export interface Fates {
  /** Of a tag, but for those (`sha256-*`) by which something is attached. */
  ofTag(tag: string, digest: Digest): Fate;
  readonly untagged: ReadonlyMap<Digest, Fate>;
  /** The manifests that are spared. */
  readonly spared: ReadonlyMap<Digest, Fate>;
  /** The images of which nothing stays, with why. */
  readonly doomed: ReadonlyMap<Digest, Fate>;
}

/** Fills up what a policy says: what it says nothing of stays, and so does what is spared. */
export function fatesOf(contents: Contents, verdicts: Verdicts, sparedWhy: Spared): Fates {
  const { inventory, tagged } = contents;
  const why = verdicts.refused === undefined ? "no rule is for it" : `nothing goes here: ${verdicts.refused}`;
  const unsaid: Fate = { goes: false, why };
  const spared = new Map<Digest, Fate>();
  for (const held of inventory.manifests.values()) {
    const reason = sparedWhy(held);
    if (reason !== undefined) spared.set(held.digest, { goes: false, why: reason });
  }
  const ofTag = (tag: string, digest: Digest): Fate => spared.get(digest) ?? verdicts.tags.get(tag) ?? unsaid;
  const [untagged, doomed] = [new Map<Digest, Fate>(), new Map<Digest, Fate>()];
  for (const { held, tags } of tagged) {
    if (tags.every((tag) => ofTag(tag, held.digest).goes)) doomed.set(held.digest, ofTag(tags[0]!, held.digest));
  }
  for (const { held } of [...contents.untagged, ...contents.orphans]) {
    const fate = spared.get(held.digest) ?? verdicts.untagged.get(held.digest) ?? unsaid;
    untagged.set(held.digest, fate);
    if (fate.goes) doomed.set(held.digest, fate);
  }
  return { ofTag, untagged, spared, doomed };
}
