import type { Digest } from "../oci/digest.ts";
import { isDigestTag } from "../oci/reference.ts";
import type { Call, Source } from "../store/store.ts";
import { attachmentLimit, endless } from "./attachments.ts";
import type { Crew } from "./crew.ts";
import type { Gaps } from "./gaps.ts";
import type { Known } from "./known.ts";
import { manifestReader, type Found, type Listed } from "./manifest-reader.ts";
import { subjectOfTag } from "./needed.ts";
import { nameOf } from "./sides.ts";

export interface SeekOptions extends Call {
  readonly known: Known;
  readonly gaps: Gaps;
  readonly workers: Crew;
  /** Fetches no manifest of which the list tells all that the graph takes. */
  readonly sparing: boolean;
  /** Goes neither to parts nor to what is attached. */
  readonly shallow: boolean;
}

/** Looks for the manifests of a repository: each once, and from each on to those that it names. */
export interface Seeker {
  readonly found: ReadonlyMap<Digest, Found>;
  /** Of the tags that were looked for, those that are there. */
  readonly tags: ReadonlyMap<string, Digest>;
  /** What a list told, by digest. */
  readonly facts: ReadonlyMap<Digest, readonly Listed[]>;
  /** Takes an entry of a list. */
  list(entry: Listed): void;
  /** Looks for manifests that may be there though nothing that was listed leads to them; settles when all is found. */
  seekAlso(digests: Iterable<Digest>): Promise<void>;
  /** Looks for all that was listed; for tags again, whose manifest was not where the list said. Settles when all is found. */
  seekListed(): Promise<void>;
  /** Looks for what is attached to all that was found, and to that again, and for what that is attached to; settles when all is found. */
  seekAttached(): Promise<void>;
}

export function seeker(from: Source, { known, gaps, workers, sparing, shallow, signal }: SeekOptions): Seeker {
  const reader = manifestReader(from, { known, sparing, ...(signal && { signal }) });
  // What is known by its digest need not be fetched: a HEAD tells the digest.
  const byHead = sparing || known.wasIn(from.name);
  const found = new Map<Digest, Found>();
  const tags = new Map<string, Digest>();
  const facts = new Map<Digest, Listed[]>();
  /** What was looked for, and how many attachments hang on one another down to it. */
  const sought = new Map<Digest, number>();
  /** What the registry lists as attached, and to what. */
  const listedOn = new Map<Digest, Digest>();
  let attachedTags: ReadonlySet<string> | undefined;

  const work = (ref: string, task: () => Promise<void>): void =>
    workers.add(() => gaps.attempt(nameOf(from, ref), task));

  function seek(digest: Digest, hung = 0): void {
    if (sought.has(digest) || gaps.isFull(sought.size)) return;
    sought.set(digest, hung);
    work(digest, async () => take(await reader.read(digest, facts.get(digest)?.[0])));
  }

  function seekTag(tag: string): void {
    if (gaps.isFull(tags.size)) return;
    work(tag, async () => {
      const one = byHead ? await from.head(tag, { signal }) : await reader.fetch(tag);
      if (!one) return;
      tags.set(tag, one.digest);
      known.saw(from.name, one.digest);
      if (!("blobs" in one)) return seek(one.digest);
      if (sought.has(one.digest)) return;
      sought.set(one.digest, 0);
      take(one);
    });
  }

  function take(one: Found | undefined): void {
    if (!one) return;
    found.set(one.digest, one);
    known.saw(from.name, one.digest);
    if (shallow) return;
    const hung = sought.get(one.digest);
    for (const child of one.children) seek(child, hung);
    if (one.subject) seek(one.subject, hung);
    if (attachedTags) attachedTo(one.digest, attachedTags);
  }

  function attachedTo(digest: Digest, knownTags: ReadonlySet<string>): void {
    const hung = sought.get(digest)!;
    work(digest, async () => {
      if (hung > attachmentLimit) throw endless(from, digest);
      for await (const referrer of from.referrers(digest, { signal, knownTags })) {
        if (gaps.isFull(sought.size)) return;
        listedOn.set(referrer.digest, digest);
        seek(referrer.digest, hung + 1);
      }
    });
  }

  return {
    found,
    tags,
    facts,
    list(entry) {
      const { digest } = entry;
      if (entry.state === "deleted") return;
      if (!digest) return entry.tags.forEach(seekTag);
      const others = facts.get(digest);
      if (others) others.push(entry);
      else facts.set(digest, [entry]);
      for (const tag of entry.tags) tags.set(tag, digest);
    },
    async seekListed() {
      for (const digest of facts.keys()) seek(digest);
      await workers.done();
      const unreadable = new Set(gaps.all.map(({ at }) => at));
      for (const [tag, digest] of tags) {
        if (found.has(digest)) continue;
        tags.delete(tag);
        if (!unreadable.has(nameOf(from, digest))) seekTag(tag);
      }
      await workers.done();
    },
    async seekAlso(digests) {
      for (const digest of digests) seek(digest);
      await workers.done();
    },
    async seekAttached() {
      const knownTags = new Set([...tags.keys()].filter(isDigestTag));
      // What such a tag is about need not have a tag itself.
      for (const tag of knownTags) {
        const subject = subjectOfTag(tag);
        if (subject) seek(subject);
      }
      await workers.done();
      attachedTags = knownTags;
      const [first, ...others] = found.keys();
      // The first tells whether the registry lists what is attached: the others need not ask as well.
      if (first) attachedTo(first, knownTags);
      await workers.done();
      for (const digest of others) attachedTo(digest, knownTags);
      await workers.done();
      // What was not read does not say it itself.
      for (const [digest, subject] of listedOn) {
        const one = found.get(digest);
        if (one?.unread && !one.subject) found.set(digest, { ...one, subject });
      }
    },
  };
}
