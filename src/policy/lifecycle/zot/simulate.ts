import type { Digest } from "../../../oci/digest.ts";
import { join } from "../fields.ts";
import { candidatesOf, type Candidate, type Decision, type LifecycleImage, type SimulateOptions } from "../images.ts";
import { readRegex } from "../regex.ts";
import {
  hasRules,
  policyFor,
  secondsOf,
  storeFor,
  type KeepRules,
  type KeepTags,
  type ZotDocument,
  type ZotPolicy,
} from "./document.ts";

/** A candidate, and the rule that keeps it. */
type Kept = ReadonlyMap<Candidate, string>;

/**
 * By zot's source (pkg/retention, pkg/storage/gc): the first policy with a glob that fits is the repository's; a tag is
 * kept by the rules of the first entry with a pattern that fits, any of them, or by an entry without rules; what has no tag
 * waits, and goes unless it is kept, part of an index, or attached to something that stays. Tags go one by one.
 */
export function simulateZot<Image extends LifecycleImage>(
  document: ZotDocument,
  images: readonly Image[],
  options: SimulateOptions,
): readonly Decision<Image>[] {
  const store = storeFor(document, options.repository);
  const policy = policyFor(store, options.repository);
  const candidates = candidatesOf(images, "tag", options);
  const keptTags = tagsKept(policy, candidates);
  const [going, staying] = untaggedFates(policy, candidates, keptTags, store.delay);
  return candidates.map((candidate) => {
    const { image, tags } = candidate;
    const keep = (reason: string, rule = policy?.at): Decision<Image> => ({
      image,
      action: "keep",
      tags: [],
      reason,
      ...(rule !== undefined && { rule }),
    });
    const remove = (reason: string): Decision<Image> =>
      store.dryRun
        ? keep(`${reason}, but this is a dry run`)
        : { image, action: "delete", tags, rule: policy?.at ?? join(store.at, "delay"), reason };
    if (!store.collects) return keep("nothing is collected: gc is off");
    if (going.has(candidate)) return remove(subjectOf(candidate) ? "what it is attached to is gone" : "it has no tag");
    if (tags.length === 0) return keep(staying.get(candidate)!);
    if (!policy) return keep("no policy is for this repository");
    if (!keptTags) return keep("the policy has no keepTags");
    const kept = keptTags.get(candidate);
    return kept === undefined ? remove("no entry of keepTags keeps it") : keep("it is kept", kept);
  });
}

/** The tags that are kept; undefined where all are. */
function tagsKept(
  policy: (ZotPolicy & { readonly at: string }) | undefined,
  all: readonly Candidate[],
): Kept | undefined {
  const entries = policy?.keepTags ?? [];
  if (!policy || entries.length === 0) return undefined;
  const groups = entries.map((): Candidate[] => []);
  const of = entryFor(entries);
  for (const candidate of all) {
    const [tag] = candidate.tags;
    if (tag !== undefined) groups[of(tag)]?.push(candidate);
  }
  return new Map(
    groups.flatMap((group, i) =>
      [...(hasRules(entries[i]) ? keptBy(entries[i]!, group) : group)].map(
        (one) => [one, `${policy.at}.keepTags[${i}]`] as const,
      ),
    ),
  );
}

/** Finds the place of the first entry with a pattern that a tag fits, or -1. */
export function entryFor(entries: readonly KeepTags[]): (tag: string) => number {
  const patterns = entries.map((entry) => (entry.patterns ?? []).map((pattern) => readRegex(pattern)));
  return (tag) =>
    patterns.findIndex(
      (expressions) => expressions.length === 0 || expressions.some((expression) => expression.test(tag)),
    );
}

/** What any of the rules keeps. */
function keptBy(rules: KeepRules, group: readonly Candidate[]): ReadonlySet<Candidate> {
  const newest = (count: number | undefined, by: "pushed" | "pulled"): readonly Candidate[] =>
    group.toSorted((a, b) => b[by] - a[by]).slice(0, count ?? 0);
  const pulled = rules.pulledWithin === undefined ? 0 : secondsOf(rules.pulledWithin);
  const pushed = Math.max(pulled, rules.pushedWithin === undefined ? 0 : secondsOf(rules.pushedWithin));
  return new Set([
    ...newest(rules.mostRecentlyPulledCount, "pulled"),
    ...newest(rules.mostRecentlyPushedCount, "pushed"),
    ...group.filter(({ age, idle }) => idle < pulled || age < pushed),
  ]);
}

/**
 * What has no tag and goes, and why the rest of such stays; with deleteReferrers also what is attached to an image that is
 * gone. Parts of an index stay while it does, and go with it unnamed.
 */
function untaggedFates(
  policy: ZotPolicy | undefined,
  all: readonly Candidate[],
  keptTags: Kept | undefined,
  delay: number,
): readonly [going: Set<Candidate>, staying: Kept] {
  const { deleteUntagged = true, deleteReferrers = false, keepUntagged } = policy ?? {};
  const untagged = all.filter(({ tags }) => tags.length === 0);
  const kept = hasRules(keepUntagged) ? keptBy(keepUntagged!, untagged) : undefined;
  const staying = new Map<Candidate, string>();
  for (const candidate of untagged) {
    if (candidate.isPart) staying.set(candidate, "an index is made of it");
    else if (candidate.age <= delay) staying.set(candidate, "it waits for the delay to pass");
    else if (candidate.image.subject !== undefined) staying.set(candidate, "what it is attached to stays");
    else if (!deleteUntagged) staying.set(candidate, "what has no tag is not deleted");
    else if (kept?.has(candidate)) staying.set(candidate, "keepUntagged keeps it");
  }
  const going = new Set(untagged.filter((one) => !staying.has(one)));
  if (deleteReferrers) {
    // What loses its last tag goes in the same run; rules for what has no tag do not know it yet, and leave it.
    const stays = (one: Candidate): boolean => {
      if (one.tags.length === 0) return !going.has(one);
      return !keptTags || keptTags.has(one) || !deleteUntagged || Boolean(kept) || one.isPart || one.age <= delay;
    };
    addReferrers(going, all, stays, delay);
  }
  return [going, staying];
}

/** Adds what is attached to nothing that stays, and what is attached to that. */
function addReferrers(
  going: Set<Candidate>,
  all: readonly Candidate[],
  stays: (candidate: Candidate) => boolean,
  delay: number,
): void {
  const referrers = all.filter((one) => subjectOf(one) !== undefined && !one.isPart && one.age > delay);
  for (let before = -1; before !== going.size;) {
    before = going.size;
    const present = new Set(all.filter((one) => stays(one) && !going.has(one)).map(({ image }) => image.digest));
    for (const one of referrers) if (!present.has(subjectOf(one))) going.add(one);
  }
}

/** What an image is attached to, by itself or by a tag of cosign. */
function subjectOf({ image: { subject }, tags: [tag = ""] }: Candidate): Digest | undefined {
  const [, hex] = /^sha256-([0-9a-f]{64})\.(?:sig|sbom)$/.exec(tag) ?? [];
  return subject ?? (hex === undefined ? undefined : `sha256:${hex}`);
}
