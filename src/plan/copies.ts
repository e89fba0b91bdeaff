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
    steps.map((step) =>
      room(async () => {
        try {
          const before = await lookAtDestination(step, hands, call);
          if ("outcome" in before) return await attempt(step, async () => before);
          if (before.tag !== step.digest) await running.begin(step, before);
          open.set(step.id, { step, before });
        } catch (error) {
          await attempt(step, () => Promise.reject(error));
        }
      }),
    ),
  );
  const going = steps.filter(({ id }) => open.has(id));
  if (going.length === 0) return;
  const { limitRate, onEvent } = options;
  const settings = { ...call, ...(limitRate !== undefined && { limitRate }), ...(onEvent && { onEvent }) };
  try {
    await room(async () => {
      for await (const { id, bytes, error } of hands.copy(going, settings)) {
        const { step, before } = open.get(id) ?? {};
        if (!step || !before || !open.delete(id)) continue;
        await attempt(step, async () => {
          const isThere = before.tag === step.digest;
          // Its root came last, so that all of it came: whether the source still has it does not matter.
          if (isThere && isAbsent(error)) return { outcome: "already" };
          if (error !== undefined) return refused(error);
          const already = isThere && !bytes;
          return {
            outcome: already ? "already" : "done",
            ...(bytes !== undefined && { bytes }),
            ...(await made(step)),
          };
        });
      }
    });
    for (const { step } of open.values()) {
      await attempt(step, () =>
        Promise.reject(new RegistryError("UNKNOWN", `${step.at}: nothing was told of its copy`)),
      );
    }
  } catch (error) {
    for (const { step } of open.values()) await attempt(step, () => Promise.reject(error));
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
