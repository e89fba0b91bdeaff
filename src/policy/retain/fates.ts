import type { Contents } from "./contents.ts";
import type { Fate, FatesByNumber, Verdicts } from "./verdicts.ts";

/** What becomes of each tag and each image without one, before anybody asks who needs it; all by number. */
export interface Fates {
  /** Of a tag of a manifest, but for those (`sha256-*`) by which something is attached. */
  ofTag(tag: number, of: number): Fate;
  /** Of images without tags, and of what is attached to nothing. */
  readonly untagged: ReadonlyMap<number, Fate>;
  /** Of the manifests that stay with all their tags, whatever a policy says. */
  readonly spared: FatesByNumber;
  /** Of the images of which nothing stays. */
  readonly doomed: ReadonlyMap<number, Fate>;
}

/** Fills up what a policy says: what it says nothing of stays, and so does what is spared. */
export function fatesOf(contents: Contents, verdicts: Verdicts, spared: FatesByNumber): Fates {
  const why = verdicts.refused === undefined ? "no rule is for it" : `nothing goes here: ${verdicts.refused}`;
  const unsaid: Fate = { goes: false, why };
  const ofTag = (tag: number, of: number): Fate => spared[of] ?? verdicts.tags[tag] ?? unsaid;
  const [untagged, doomed] = [new Map<number, Fate>(), new Map<number, Fate>()];
  for (const { number, tags } of contents.tagged) {
    if (tags.every((tag) => ofTag(tag, number).goes)) doomed.set(number, ofTag(tags[0]!, number));
  }
  for (const { number } of [...contents.untagged, ...contents.orphans]) {
    const fate = spared[number] ?? verdicts.untagged[number] ?? unsaid;
    untagged.set(number, fate);
    if (fate.goes) doomed.set(number, fate);
  }
  return { ofTag, untagged, spared, doomed };
}
