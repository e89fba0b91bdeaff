import { isAbsent, isRegistryError, RegistryError } from "../oci/error.ts";
import { digestNow, lookAtDestination, type Ending } from "./act.ts";
import type { CopyImage } from "./plan.ts";
import { failed, isRefusal, type Running } from "./running.ts";

/** Does copies from one place, whose images are each read once however many places they go to. */
export async function copyAll(steps: readonly CopyImage[], running: Running): Promise<void> {
  const { hands, call, options, attempt } = running;
  const open = new Map(steps.map((step) => [step.id, step]));
  const unput = new Set<string>();
  const { limitRate, onEvent, jobs } = options;
  const settings = {
    ...call,
    ...(limitRate !== undefined && { limitRate }),
    ...(jobs !== undefined && { jobs }),
    ...(onEvent && { onEvent }),
    putting,
  };
  try {
    // How many go at a time, those hands know who do all copies.
    for await (const { id, bytes, wasThere, error } of hands.copy(steps, settings)) {
      const step = open.get(id);
      if (!step || !open.delete(id)) continue;
      await attempt(step, async () => {
        // Its root came last, so that all of it came: whether the source still has it does not matter.
        if (isAbsent(error) && (await isThere(step))) return { outcome: "already" };
        if (error !== undefined) return unput.has(id) ? { ...failed(error), changed: false } : refused(error);
        return {
          outcome: wasThere ? "already" : "done",
          ...(bytes !== undefined && { bytes }),
          ...(await made(step)),
        };
      });
    }
    for (const step of open.values()) {
      await attempt(step, () =>
        Promise.reject(new RegistryError("UNKNOWN", `${step.at}: nothing was told of its copy`)),
      );
    }
  } catch (error) {
    for (const step of open.values()) await attempt(step, () => Promise.reject(error));
    if (call.signal?.aborted) throw error;
  }

  /** Only from here on there is anything to take back: what a tag names changes with the image itself. */
  async function putting(id: string, put: () => Promise<void>): Promise<void> {
    const step = open.get(id)!;
    await running.begin(step, await lookAtDestination(step, hands, call));
    try {
      await put();
    } catch (error) {
      if (isRefusal(error)) unput.add(id);
      throw error;
    }
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
