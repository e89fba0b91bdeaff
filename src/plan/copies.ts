import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import { digestNow, lookAtDestination, type Ending } from "./act.ts";
import type { Before } from "./before.ts";
import type { CopyImage } from "./plan.ts";
import { all, type Running } from "./running.ts";

/** Does copies from one place, whose images are each read once however many places they go to. */
export async function copyAll(steps: readonly CopyImage[], running: Running): Promise<void> {
  const { hands, call, options, room, attempt } = running;
  const open = new Map<string, { readonly step: CopyImage; readonly before: Before }>();
  await all(
    steps.map(async (step) => {
      try {
        const before = await room(() => lookAtDestination(step, hands, call));
        if (before.tag !== step.digest) await running.begin(step, before);
        open.set(step.id, { step, before });
      } catch (error) {
        await attempt(step, () => Promise.reject(error));
      }
    }),
  );
  const going = steps.filter(({ id }) => open.has(id));
  if (going.length === 0) return;
  const { limitRate, onEvent, jobs } = options;
  const settings = {
    ...call,
    ...(limitRate !== undefined && { limitRate }),
    ...(jobs !== undefined && { jobs }),
    ...(onEvent && { onEvent }),
  };
  try {
    // How many go at a time, those hands know who do all copies.
    for await (const { id, bytes, wasThere, error } of hands.copy(going, settings)) {
      const step = open.get(id)?.step;
      if (!step || !open.delete(id)) continue;
      await attempt(step, async () => {
        // Its root came last, so that all of it came: whether the source still has it does not matter.
        if (isAbsent(error) && (await isThere(step))) return { outcome: "already" };
        if (error !== undefined) return refused(error);
        return {
          outcome: wasThere ? "already" : "done",
          ...(bytes !== undefined && { bytes }),
          ...(await made(step)),
        };
      });
    }
    for (const { step } of open.values()) {
      await attempt(step, () =>
        Promise.reject(new RegistryError("UNKNOWN", `${step.at}: nothing was told of its copy`)),
      );
    }
  } catch (error) {
    for (const { step } of open.values()) await attempt(step, () => Promise.reject(error));
  }

  async function isThere({ at, digest }: CopyImage): Promise<boolean> {
    const { store, tag } = hands.open(at);
    return tag !== undefined && (await digestNow(store, tag, call)) === digest;
  }

  /** The digest of what some platforms of an index became. */
  async function made({ at, platforms }: CopyImage): Promise<Pick<Ending, "digest">> {
    const { store, tag } = hands.open(at);
    const digest = platforms && tag !== undefined ? await digestNow(store, tag, call) : null;
    return digest === null ? {} : { digest };
  }
}

/** What a destination refuses because somebody changed it is stale. */
function refused(error: unknown): Ending {
  if (isRegistryError(error, "CONFLICT") && error.status === undefined) return { outcome: "stale", why: error.message };
  throw error;
}
