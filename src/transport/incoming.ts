import type { IncomingMessage } from "node:http";
import type { ByteStream } from "../oci/stream.ts";
import { drain, streamFrom } from "./body.ts";
import type { Deadline } from "./deadline.ts";
import { cutOff, isReset, networkError, timeoutError } from "./network-error.ts";
import { aborted } from "./clock.ts";
import type { Req } from "./transport.ts";

interface BodyOptions {
  readonly request: Req;
  /** The Content-Length, where there is one. */
  readonly length: number | undefined;
  /** Whether the answer came before the request was sent in full: such a connection may break at any moment. */
  readonly early: boolean;
  readonly timer: Deadline;
  readonly idle: number;
  /** Called when the body has ended, broken or been given up. */
  over(): void;
}

/** The body of a response of node:http, read as it is asked for. */
export function incomingBody(incoming: IncomingMessage, options: BodyOptions): ByteStream {
  const { request, length, early, timer, idle } = options;
  const source = incoming.iterator({ destroyOnReturn: true }) as AsyncIterator<Buffer, undefined>;
  let received = 0;
  let ended = false;
  const end = (): void => {
    ended = true;
    timer.stop();
    options.over();
  };
  const giveUp = (): void => void incoming.destroy(aborted(request.signal));
  request.signal?.addEventListener("abort", giveUp, { once: true });
  incoming.once("close", () => request.signal?.removeEventListener("abort", giveUp)).on("error", () => {});

  const next = async (): Promise<IteratorResult<Buffer, undefined>> => {
    if (ended) return { done: true, value: undefined };
    timer.set(idle, () => incoming.destroy(timeoutError("sent nothing more", idle, request)));
    try {
      const result = await source.next();
      timer.stop();
      if (request.signal?.aborted) throw aborted(request.signal);
      if (!result.done) received += result.value.byteLength;
      else if (length !== undefined && received !== length) throw cutOff(request, received, length);
      else end();
      return result;
    } catch (error) {
      end();
      if (early && incoming.statusCode! >= 400 && !request.signal?.aborted) return { done: true, value: undefined };
      throw incoming.complete || !isReset(error) ? networkError(error, request) : cutOff(request, received, length);
    }
  };
  return streamFrom({
    next,
    async return() {
      if (!ended) await drain(next, length === undefined ? undefined : length - received, () => incoming.destroy());
      if (!ended) end();
      return { done: true, value: undefined };
    },
  });
}
