import type { Digest } from "../../oci/digest.ts";
import { parseLocation } from "../../oci/location.ts";
import { formatReference, type Reference } from "../../oci/reference.ts";
import type { JournalRecord, Try } from "../../plan/journal-lines.ts";
import type { Step } from "../../plan/plan.ts";
import type { TagMove } from "./history.ts";

/** A tag's move, and the repository that it was in. */
export interface JournaledMove extends TagMove {
  readonly repository: string;
}

/**
 * What a journal says that became of tags in registries. A step that failed or was stopped tells what was there before it alone.
 * Its time is that of the plan: a journal knows no other.
 */
export function movesOfJournal({ made, steps }: JournalRecord): readonly JournaledMove[] {
  return steps.flatMap(({ step, tries }) => {
    const reference = referenceAt(step.at);
    if (!reference) return [];
    const { registry, repository, tag } = reference;
    const at = { repository: formatReference({ registry, repository }), when: made };
    return tries.flatMap((one) => movesOf(step, one, tag).map((move): JournaledMove => ({ ...at, ...move })));
  });
}

/** A place in a registry; undefined for any other, and for what is no place. */
function referenceAt(text: string): Reference | undefined {
  try {
    const location = parseLocation(text);
    return location.transport === "registry" ? location.reference : undefined;
  } catch {
    return undefined;
  }
}

type Move = Omit<TagMove, "when">;

function movesOf(step: Step, { before, outcome, digest: made }: Try, tag: string | undefined): readonly Move[] {
  const isDone = outcome === "done";
  const gone = (name: string, digest: Digest): Move => ({ tag: name, before: digest, digest: isDone ? null : digest });
  if (step.do === "delete tag") return tag === undefined ? [] : [gone(tag, step.digest)];
  if (step.do === "delete manifest") return step.tags.map((name) => gone(name, step.digest));
  if (step.do === "restore") {
    return isDone ? step.tags.map((name) => ({ tag: name, before: null, digest: step.digest })) : [];
  }
  if (tag === undefined || (step.do !== "tag" && step.do !== "copy")) return [];
  const was = before.tag ?? null;
  return [{ tag, before: was, digest: isDone ? (made ?? step.digest) : was }];
}
