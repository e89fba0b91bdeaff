import { setTimeout as sleep } from "node:timers/promises";
import type { ByteStream } from "../oci/stream.ts";

/** Slows streams down, all that pass through it together, to `limit` bytes a second. */
export type Throttle = (stream: ByteStream, signal?: AbortSignal) => ByteStream;

export function throttle(limit: number): Throttle {
  let freeAt = 0;
  return async function* (stream, signal) {
    for await (const piece of stream) {
      const now = performance.now();
      freeAt = Math.max(freeAt, now) + (piece.byteLength * 1000) / limit;
      const wait = freeAt - now;
      if (wait > 5) await sleep(wait, undefined, { signal });
      yield piece;
    }
  };
}
