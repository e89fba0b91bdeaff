import type { Digest } from "../../oci/digest.ts";
import type { Kept, Note, Plan, SetTag } from "../../plan/plan.ts";
import type { MadeTags } from "./make.ts";
import { releaseOf } from "./release.ts";
import { settleTags } from "./settle.ts";

/** What is known of a repository whose image is to be tagged. */
export interface TaggedState {
  /** As in references: `registry.example/app`. */
  readonly repository: string;
  /** The image. */
  readonly digest: Digest;
  /** All tags, with their digests as far as they are known; of those that are to be given, always. */
  readonly tags: ReadonlyMap<string, Digest | undefined>;
}

export interface TagPolicy {
  /** What is held back and what never moves is moved all the same. */
  readonly force?: boolean;
  /** Tags that never move. */
  readonly immutable?: (tag: string) => boolean;
}

/** Plans which tags an image gets, none of which moves backwards. */
export function planTags({ tags: made, notes }: MadeTags, state: TaggedState, policy: TagPolicy, now: Date): Plan {
  const { repository, digest, tags } = state;
  const { given, held } = policy.force ? { given: made, held: [] } : settleTags(made, tags);
  const steps: SetTag[] = [];
  const kept: Kept[] = held.map(({ tag, why, rule }) => keep(tag, why, rule));
  const more: Note[] = notes.map((message) => ({ level: "warning", message }));
  for (const { tag, rule } of given) {
    const at = `${repository}:${tag}`;
    const before = tags.get(tag);
    if (before === digest) kept.push(keep(tag, "it names this image already", rule));
    else if (before !== undefined && policy.immutable?.(tag) && !policy.force) {
      kept.push(keep(tag, "it never moves, as tags.immutable says", rule));
      more.push({ level: "refused", at, message: `it never moves, as tags.immutable says, and it names ${before}` });
    } else {
      const why = before === undefined ? "a new tag" : `it names ${before} now, and moves on`;
      steps.push({ id: `${steps.length + 1}`, do: "tag", at, digest, before: before ?? null, why, rule });
      if (before !== undefined && releaseOf(tag)?.parts === 3)
        more.push({ level: "warning", at, message: "a version that was published is given to another image" });
    }
  }
  return {
    version: 1,
    kind: "tags",
    made: now.toISOString(),
    from: `${repository}@${digest}`,
    steps,
    kept,
    notes: more,
  };

  function keep(tag: string, why: string, rule: string): Kept {
    const named = tags.get(tag);
    return { at: `${repository}:${tag}`, ...(named && { digest: named }), why, rule };
  }
}
