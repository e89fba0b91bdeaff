import { RegistryError } from "../oci/error.ts";

/** Pieces of work of which the first to fail stops the rest. */
export interface Together {
  /** Fires at the first failure, and with the signal from outside. */
  readonly signal: AbortSignal;
  /** Waits for all; the first failure, of any call, is thrown when the others have settled. */
  readonly all: (work: readonly Promise<void>[]) => Promise<void>;
}

export function together(outer: AbortSignal | undefined): Together {
  const stop = new AbortController();
  let first: { readonly error: unknown } | undefined;
  return {
    signal: outer ? AbortSignal.any([stop.signal, outer]) : stop.signal,
    async all(work) {
      const fail = (error: unknown): void => {
        first ??= { error };
        stop.abort(new RegistryError("ABORTED", "stopped because another part of the work failed"));
      };
      await Promise.all(work.map((one) => one.catch(fail)));
      if (first) throw first.error;
    },
  };
}
