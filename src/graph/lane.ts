import { RegistryError } from "../oci/error.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * Lets one repository of a registry go ahead with a blob: the others wait until it is there, to mount it. Where the first
 * fails, the next goes ahead; what has arrived once, nobody waits for any more.
 */
export interface Lane {
  /** `onWait` is called where somebody else is ahead. */
  run<T>(blob: Digest, signal: AbortSignal, work: () => Promise<T>, onWait: () => void): Promise<T>;
}

export function lane(): Lane {
  const ahead = new Map<Digest, Promise<boolean>>();
  const arrived = new Set<Digest>();
  return {
    async run(blob, signal, work, onWait) {
      for (let first = ahead.get(blob); first && !arrived.has(blob); first = ahead.get(blob)) {
        onWait();
        await until(first, signal);
      }
      if (arrived.has(blob)) return work();
      const mine = work();
      ahead.set(
        blob,
        mine.then(
          () => {
            arrived.add(blob);
            return ahead.delete(blob);
          },
          () => ahead.delete(blob),
        ),
      );
      return mine;
    },
  };
}

/** Waits for somebody else's work, and no longer than the signal lets. */
async function until(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<never>();
  const stop = (): void =>
    stopped.reject(new RegistryError("ABORTED", "stopped while waiting", { cause: signal.reason }));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
