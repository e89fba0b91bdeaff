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
