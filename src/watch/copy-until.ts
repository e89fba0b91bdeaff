import { semaphore } from "../graph/semaphore.ts";
import { RegistryError } from "../oci/error.ts";
import type { Hands } from "../plan/hands.ts";
import type { CopyImage } from "../plan/plan.ts";
import { arrivals } from "../sync/arrivals.ts";
import type { Copied } from "../sync/copy-steps.ts";

const imagesAtOnce = 32;

/** Copies as `copy` does until the signal fires: images that are under way are finished, and none is begun any more. */
export function copyUntil(copy: Hands["copy"], stop: AbortSignal): Hands["copy"] {
  return async function* copyWhileAllowed(steps, options) {
    const room = semaphore(imagesAtOnce);
    const results = arrivals<Copied>();
    const images = Map.groupBy(steps, ({ from, digest }) => `${from} ${digest}`);
    const one = async (image: readonly CopyImage[]): Promise<void> => {
      if (!stop.aborted) {
        for await (const copied of copy(image, options)) results.add(copied);
        return;
      }
      for (const { id, at } of image)
        results.add({ id, error: new RegistryError("PARTIAL", `${at} is left for the next run`) });
    };
    const work = Promise.all([...images.values()].map((image) => room(() => one(image)))).then(
      () => results.end(),
      (error: unknown) => results.fail(error),
    );
    try {
      yield* results.all;
    } finally {
      await work;
    }
  };
}
