import { isRegistryError, RegistryError } from "./error.ts";
import { sameBytes, type ByteStream } from "./stream.ts";

/** Throws ABORTED once the signal has fired, or the very error that it was fired with. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (isRegistryError(signal.reason)) throw signal.reason;
  throw new RegistryError("ABORTED", "stopped before it was done", { cause: signal.reason });
}

/** The same bytes, until the signal fires: then the source is given up and ABORTED thrown in place of the next piece. */
export function abortable(stream: ByteStream, signal: AbortSignal | undefined): ByteStream {
  if (!signal) return stream;
  const checked: ByteStream = {
    [Symbol.asyncIterator]() {
      const source = stream[Symbol.asyncIterator]();
      return {
        async next() {
          if (signal.aborted) await source.return?.();
          throwIfAborted(signal);
          return source.next();
        },
        async return() {
          await source.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
  return sameBytes(checked, stream);
}
