import type { Held } from "../../graph/inventory.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Contents, Image } from "./contents.ts";
import type { Fate, Verdicts } from "./verdicts.ts";

/** Why a manifest stays with all its tags, whatever a policy says; undefined where nothing speaks for it. */
export type Spared = (held: Held) => string | undefined;

/** What becomes of each tag and each image without one, before anybody asks who needs it. */
export interface Fates {
  readonly tags: ReadonlyMap<string, Fate>;
  readonly untagged: ReadonlyMap<Digest, Fate>;
  /** The images of which nothing stays, with why. */
  readonly doomed: ReadonlyMap<Digest, Fate>;
}

/** Fills up what a policy says: what it says nothing of stays, and so does what is spared. */
export function fatesOf(contents: Contents, verdicts: Verdicts, spared: Spared): Fates {
  const why = verdicts.refused === undefined ? "no rule is for it" : `nothing goes here: ${verdicts.refused}`;
  const unsaid: Fate = { goes: false, why };
  const [tags, untagged, doomed] = [new Map<string, Fate>(), new Map<Digest, Fate>(), new Map<Digest, Fate>()];
  const judge = ({ held, tags: own }: Image): void => {
    const sparedWhy = spared(held);
    const fateOf = (said: Fate | undefined): Fate =>
      sparedWhy === undefined ? (said ?? unsaid) : { goes: false, why: sparedWhy };
    let goes = true;
    for (const tag of own) {
      const fate = fateOf(verdicts.tags.get(tag));
      tags.set(tag, fate);
      goes &&= fate.goes;
      if (goes) doomed.set(held.digest, fate);
    }
    if (own.length === 0) {
      const fate = fateOf(verdicts.untagged.get(held.digest));
      untagged.set(held.digest, fate);
      goes = fate.goes;
      if (goes) doomed.set(held.digest, fate);
    }
    if (!goes) doomed.delete(held.digest);
  };
  for (const image of contents.tagged) judge(image);
  for (const image of contents.untagged) judge(image);
  for (const image of contents.orphans) judge(image);
  return { tags, untagged, doomed };
}
