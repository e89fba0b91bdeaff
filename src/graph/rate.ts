import { setTimeout as sleep } from "node:timers/promises";
import { tapped, type ByteStream } from "../oci/stream.ts";

/** Slows streams down, all that pass through it together, to `limit` bytes a second. */
export type Throttle = (stream: ByteStream, signal?: AbortSignal) => ByteStream;

export function throttle(limit: number): Throttle {
  let freeAt = 0;
  return (stream, signal) =>
    tapped(stream, {
      async piece({ byteLength }) {
        const now = performance.now();
        freeAt = Math.max(freeAt, now) + (byteLength * 1000) / limit;
        const wait = freeAt - now;
        if (wait > 5) await sleep(wait, undefined, { signal });
      },
    });
}
