import { needed } from "../graph/needed.ts";
import type { Inventory } from "../graph/inventory.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent, RegistryError } from "../oci/error.ts";
import { digestNow, type Ending } from "./act.ts";
import { keep } from "./before.ts";
import type { DeleteManifest, DeleteTag, Step } from "./plan.ts";
import { deletionWaves, lastTags, neededText, recheckDeletions } from "./recheck.ts";
import { all, type Running } from "./running.ts";

type Deletion = DeleteTag | DeleteManifest;

/** So many manifests are written down, then deleted: what services take with one request. */
const batch = 100;

/** Does the deletions of a plan in one repository: tags, then manifests, each held against what is there now. */
export async function deleteIn(place: string, steps: readonly Deletion[], running: Running): Promise<void> {
  const { hands, call, options, room, attempt, settle } = running;
  let inventory: Inventory;
  const later = running.openIn(place);
  // Nothing leads to a part of an index that went before it: what it needs, and who needs it, counts all the same.
  const named = [...steps, ...later].flatMap((step) => (step.do === "delete tag" ? [] : [step.digest]));
  const also = new Set([...named, ...(options.also?.(place) ?? [])]);
  try {
    inventory = await room(() => hands.inventory(place, { ...call, also }));
  } catch (error) {
    await all(steps.map((step) => attempt(step, () => Promise.reject(error))));
    return;
  }
  const protectedRoots = options.protect?.(inventory) ?? [];
  const verdicts = recheckDeletions(steps, inventory, { later, protectedRoots });
  const going: Deletion[] = [];
  for (const step of steps) {
    const { verdict, ...why } = verdicts.get(step.id)!;
    if (verdict === "go") going.push(step);
    else settle(step, { outcome: verdict, ...why });
  }
  const untagged = lastTags(going, inventory);
  const tags = going.filter((step) => step.do === "delete tag");
  await all(tags.map((step) => attempt(step, () => deleteTag(place, step, untagged.has(step.digest), running))));
  await deleteManifests(
    place,
    going.filter((step) => step.do === "delete manifest"),
    inventory,
    running,
  );
}

async function deleteTag(
  place: string,
  step: DeleteTag,
  isLast: boolean,
  { hands, call, room, begin, silent, options }: Running,
): Promise<Ending> {
  return room(async () => {
    const skipped = silent(step);
    if (skipped) return skipped;
    const { store, tag = "" } = hands.open(step.at);
    const now = await digestNow(store, tag, call);
    if (now === null) return { outcome: "already" };
    if (now !== step.digest) return { outcome: "stale", why: `${step.at} names ${now} now` };
    // With its last tag an image may go, at once or when the registry cleans up.
    const kept = isLast && options.journal ? await keep(store, now, call) : {};
    await begin(step, { tag: now, ...kept });
    try {
      await hands.deleteTag(place, tag, call);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      return { outcome: "already" };
    }
    return { outcome: "done", ...bytesOf(step) };
  });
}

/** In waves: what is needed by something that did not go stays. */
async function deleteManifests(
  place: string,
  steps: readonly DeleteManifest[],
  inventory: Inventory,
  running: Running,
): Promise<void> {
  const byDigest = new Map(steps.map((step) => [step.digest, step]));
  const stuck: Digest[] = [];
  for (const wave of deletionWaves([...byDigest.keys()], inventory)) {
    const needs = needed(
      inventory,
      stuck.map((digest) => ({ digest, why: "it could not be deleted" })),
    );
    const free = wave.filter((digest) => !needs.has(digest));
    for (const digest of wave.filter((one) => needs.has(one))) {
      running.settle(byDigest.get(digest)!, { outcome: "skipped", why: neededText(needs.get(digest)!) });
    }
    for (let from = 0; from < free.length; from += batch) {
      const going = free.slice(from, from + batch).map((digest) => byDigest.get(digest)!);
      stuck.push(...(await deleteBatch(place, going, inventory, running)));
    }
  }
}

/** Answers those that are still there. */
async function deleteBatch(
  place: string,
  steps: readonly DeleteManifest[],
  inventory: Inventory,
  { hands, call, room, attempt, begin, settle, options }: Running,
): Promise<readonly Digest[]> {
  const open = new Map<Digest, DeleteManifest>();
  const stuck: Digest[] = [];
  const fail = async (step: DeleteManifest, error: unknown): Promise<void> => {
    open.delete(step.digest);
    stuck.push(step.digest);
    await attempt(step, () => Promise.reject(error));
  };
  await all(
    steps.map(async (step) => {
      try {
        const kept = options.journal ? await room(() => keep(hands.open(step.at).store, step.digest, call)) : {};
        await begin(step, { tags: inventory.manifests.get(step.digest)?.tags ?? [], ...kept });
        open.set(step.digest, step);
      } catch (error) {
        await fail(step, error);
      }
    }),
  );
  try {
    await room(async () => {
      for await (const { digest, outcome, error } of hands.deleteManifests(place, [...open.keys()], call)) {
        const step = open.get(digest);
        if (!step) continue;
        open.delete(digest);
        if (outcome === "failed") await fail(step, error ?? new RegistryError("UNKNOWN", `${step.at} was not deleted`));
        else settle(step, { outcome: outcome === "deleted" ? "done" : "already", ...bytesOf(step) });
      }
    });
    for (const step of open.values()) await fail(step, new RegistryError("UNKNOWN", "the registry told nothing of it"));
  } catch (error) {
    for (const step of open.values()) await fail(step, error);
    if (call.signal?.aborted) throw error;
  }
  return stuck;
}

const bytesOf = ({ bytes }: Step): { readonly bytes?: number } => (bytes === undefined ? {} : { bytes });
