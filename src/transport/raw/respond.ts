import { drain, noBody, streamFrom } from "../body.ts";
import { aborted } from "../clock.ts";
import { deadline } from "../deadline.ts";
import { cutOff, isReset, networkError, timeoutError } from "../network-error.ts";
import type { Req, Res } from "../transport.ts";
import type { Answer } from "./connection.ts";

/** The response that an answer is, its body read as it is asked for. */
export function respond(answer: Answer, request: Req, idleMs: number): Res {
  const { head, body } = answer;
  const { status, headers } = head;
  if (!body) return { status, headers, body: noBody };
  const length = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  const timer = deadline();
  const { signal } = request;
  let received = 0;
  let isOver = false;
  const abort = (): void => answer.abandon(aborted(signal));
  const over = (): void => {
    isOver = true;
    signal?.removeEventListener("abort", abort);
  };
  signal?.addEventListener("abort", abort, { once: true });

  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    if (isOver) return { done: true, value: undefined };
    try {
      const coming = body.next();
      if (body.isAwaited()) timer.set(idleMs, () => answer.abandon(timeoutError("sent nothing more", idleMs, request)));
      answer.resume();
      const result = await coming;
      if (result.done) over();
      else received += result.value.byteLength;
      return result;
    } catch (error) {
      over();
      if (answer.isEarly && status >= 400 && !signal?.aborted) return { done: true, value: undefined };
      throw isReset(error) ? cutOff(request, received, length) : networkError(error, request);
    } finally {
      timer.stop();
    }
  };
  const giveUp = (): void => answer.abandon(new Error("given up"));
  return {
    status,
    headers,
    body: streamFrom({
      next,
      async return() {
        if (!isOver) await drain(next, length === undefined ? undefined : length - received, giveUp);
        body.fail(new Error("given up"));
        if (!isOver) over();
        return { done: true, value: undefined };
      },
    }),
  };
}
