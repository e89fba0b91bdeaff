import { RegistryError } from "../oci/error.ts";
import { formatLocation, parseLocation } from "../oci/location.ts";
import { parseManifest } from "../oci/manifest.ts";
import type { Digest } from "../oci/digest.ts";
import { inverses } from "./inverse.ts";
import type { JournalRecord, Try } from "./journal-lines.ts";
import type { Note, Plan, RestoreManifest, Step } from "./plan.ts";

/** A step of a journal that may have changed something. */
export interface Begun {
  readonly step: Step;
  /** Each time that it may have. */
  readonly tries: readonly Try[];
}

/**
 * The plan that takes back what a journal says was done, last things first: deleted manifests come back with their tags,
 * moved tags move back, and what came to be goes again where it is still as it was put. Throws INVALID for a journal whose
 * manifests are not what their digests say.
 */
export function planUndo(journal: JournalRecord, name: string, now: Date): Plan {
  const begun = journal.steps
    .map(({ step, tries }) => ({ step, tries: tries.filter(mayHaveActed) }))
    .filter(({ tries }) => tries.length > 0)
    .toReversed();
  const restores = restoresOf(begun);
  const notes: Note[] = [];
  const taken = begun.map((one) => {
    const found = inverses(one);
    if ("message" in found) notes.push({ at: one.step.at, ...found });
    return { step: one.step, steps: "message" in found ? [] : found };
  });
  const laterOf = new Map<string, string[]>();
  for (const { step, steps } of taken) {
    const its = step.do === "delete manifest" ? [`undo ${step.id}`] : steps.map(({ id }) => id);
    for (const id of step.after ?? []) laterOf.set(id, [...(laterOf.get(id) ?? []), ...its]);
  }
  const parts = partsOf(restores);
  const ids = new Set([...restores.values()].map(({ id }) => id));
  const back = [...restores.values()].map((step): Step => {
    const later = laterOf.get(step.id.replace(/^undo /, "")) ?? [];
    return { ...step, after: [...later.filter((id) => !ids.has(id)), ...(parts.get(step.id) ?? [])] };
  });
  const rest = taken.flatMap(({ step, steps }) =>
    steps.map((one): Step => ({ ...one, after: [...(laterOf.get(step.id) ?? []), ...targetOf(one, restores)] })),
  );
  return {
    version: 1,
    kind: "undo",
    made: now.toISOString(),
    from: name,
    steps: inOrder([...back, ...rest]),
    kept: [],
    notes,
  };
}

/** Whether something may have changed: of what was stopped nobody knows, and a failure may come after the deed. */
const mayHaveActed = ({ outcome, changed }: Try): boolean =>
  changed !== false && (outcome === undefined || outcome === "done" || outcome === "failed");

/** The manifests that are put again, by where they were: those deleted, and those that lost their last tag. */
function restoresOf(begun: readonly Begun[]): ReadonlyMap<string, RestoreManifest> {
  const restores = new Map<string, RestoreManifest>();
  for (const { step, tries } of begun) {
    const manifest = tries.map(({ before }) => before.manifest).find(Boolean);
    if (!manifest) continue;
    const isDeleted = step.do === "delete manifest";
    const at = manifestAt(step.at, manifest.digest);
    if (!isDeleted && restores.has(at)) continue;
    restores.set(at, {
      id: `${isDeleted ? "undo" : "manifest"} ${step.id}`,
      do: "restore",
      at,
      why: isDeleted ? "it was deleted" : "a tag that it had went: it may have gone with it",
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      manifest: manifest.bytes,
      tags: isDeleted ? [...new Set(tries.flatMap(({ before }) => before.tags ?? []))] : [],
    });
  }
  return restores;
}

/** For each restored manifest, by its id, those that it needs: the parts of an index, and what it is attached to. */
function partsOf(restores: ReadonlyMap<string, RestoreManifest>): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...restores.values()].map(({ id, at, digest, mediaType, manifest }) => {
      const { manifests, subject } = read(id, { digest, mediaType, manifest });
      const needed = [...manifests, ...(subject ? [subject] : [])];
      return [id, needed.flatMap((part) => restores.get(manifestAt(at, part.digest))?.id ?? [])];
    }),
  );
}

function read(id: string, saved: Pick<RestoreManifest, "digest" | "mediaType" | "manifest">) {
  try {
    return parseManifest(Buffer.from(saved.manifest, "base64"), { mediaType: saved.mediaType, digest: saved.digest });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new RegistryError("INVALID", `the journal was changed: of its step ${id.replace(/^\w+ /, "")}, ${what}`, {
      cause,
    });
  }
}

/** The manifest that a tag is set to again has to be there. */
function targetOf(step: Step, restores: ReadonlyMap<string, RestoreManifest>): readonly string[] {
  const found = step.do === "tag" ? restores.get(manifestAt(step.at, step.digest)) : undefined;
  return found ? [found.id] : [];
}

/** A manifest in the place that a location is in. */
function manifestAt(at: string, digest: Digest): string {
  const location = parseLocation(at);
  if (location.transport !== "registry") return formatLocation({ ...location, ref: digest });
  const { registry, repository } = location.reference;
  return formatLocation({ transport: "registry", reference: { registry, repository, digest } });
}

/** Each step behind those that it comes after; where those come after it in turn, one of them goes first. */
function inOrder(steps: readonly Step[]): readonly Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const open = new Map(
    [...byId.values()].map(({ id, after = [] }) => [id, new Set(after.filter((one) => one !== id && byId.has(one)))]),
  );
  const behind = new Map<string, string[]>();
  for (const [id, after] of open) for (const one of after) behind.set(one, [...(behind.get(one) ?? []), id]);
  const ordered: Step[] = [];
  const free = [...open].filter(([, after]) => after.size === 0).map(([id]) => id);
  for (let i = 0; open.size > 0; i++) {
    if (i >= free.length) free.push(open.keys().next().value!);
    const id = free[i]!;
    const unmet = open.get(id);
    if (!unmet) continue;
    open.delete(id);
    const { after = [], ...step } = byId.get(id)!;
    const met = [...new Set(after)].filter((one) => one !== id && byId.has(one) && !unmet.has(one));
    ordered.push({ ...step, ...(met.length > 0 && { after: met }) });
    for (const next of behind.get(id) ?? []) {
      const waits = open.get(next);
      waits?.delete(id);
      if (waits?.size === 0) free.push(next);
    }
  }
  return ordered;
}
