import type { ByteStream } from "../oci/stream.ts";
import type { Method, Res } from "./transport.ts";

/** A body without bytes. */
export const noBody: ByteStream = streamFrom({ next: () => Promise.resolve({ done: true, value: undefined }) });

/** A stream to be read once: every iterator that is asked of it is this one. */
export function streamFrom(iterator: AsyncIterator<Uint8Array, void>): ByteStream {
  return { [Symbol.asyncIterator]: () => iterator as AsyncIterator<Uint8Array> };
}

/** Whether a response can carry bytes at all (RFC 9110, 6.4.1). */
export function hasBody(method: Method, status: number, headers: Readonly<Record<string, string>>): boolean {
  return method !== "HEAD" && status !== 204 && status !== 304 && headers["content-length"] !== "0";
}

/** The same response; `over` is called once, when its body has ended, failed or been given up, with the bytes that came. */
export function whenOver(method: Method, response: Res, over: (received: number, error?: unknown) => void): Res {
  if (!hasBody(method, response.status, response.headers)) {
    over(0);
    return response;
  }
  const source = response.body[Symbol.asyncIterator]();
  let received = 0;
  let isOver = false;
  const finish = (error?: unknown): void => {
    if (isOver) return;
    isOver = true;
    over(received, error);
  };
  const body = streamFrom({
    async next() {
      try {
        const result = await source.next();
        if (result.done) finish();
        else received += result.value.byteLength;
        return result;
      } catch (error) {
        finish(error);
        throw error;
      }
    },
    async return() {
      try {
        await source.return?.();
      } finally {
        finish();
      }
      return { done: true, value: undefined };
    },
  });
  return { ...response, body };
}

/** What is left of a body that is given up is read, so that its connection can serve again, up to so many bytes and milliseconds. */
const drainLimit = { bytes: 64 * 1024, ms: 1000 };

/** Reads the little that may be left of a body to its end; `giveUp` is called where it takes too long. */
export async function drain(
  next: () => Promise<IteratorResult<Uint8Array, undefined>>,
  left: number | undefined,
  giveUp: () => void,
): Promise<void> {
  if (left !== undefined && left > drainLimit.bytes) return giveUp();
  const timer = setTimeout(giveUp, drainLimit.ms);
  try {
    let size = 0;
    while (size <= drainLimit.bytes) {
      const { done, value } = await next();
      if (done) return;
      size += value.byteLength;
    }
    giveUp();
  } catch {
    // It is given up: how it broke is of no interest.
  } finally {
    clearTimeout(timer);
  }
}
