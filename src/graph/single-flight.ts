import { isAbort } from "./sides.ts";

/** Does each piece of work once: who asks while it runs, or after it succeeded, shares the result; a failure is forgotten. */
export interface SingleFlight<K, T> {
  /** `first` says whether this call did the work. Work that was aborted by whoever began it is begun anew for the others. */
  run(
    key: K,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<{ readonly value: T; readonly first: boolean }>;
}

export function singleFlight<K, T>(): SingleFlight<K, T> {
  const flights = new Map<K, Promise<T>>();
  return {
    async run(key, signal, work) {
      for (let known = flights.get(key); known; known = flights.get(key)) {
        try {
          return { value: await known, first: false };
        } catch (error) {
          if (!isAbort(error) || signal?.aborted) throw error;
        }
      }
      const mine = work();
      flights.set(key, mine);
      try {
        return { value: await mine, first: true };
      } catch (error) {
        if (flights.get(key) === mine) flights.delete(key);
        throw error;
      }
    },
  };
}
