import type { IncomingMessage } from "node:http";
import type { ByteStream } from "../oci/stream.ts";
import { streamFrom } from "./body.ts";
import type { Deadline } from "./deadline.ts";
import { brokenResponse, networkError, timeoutError } from "./network-error.ts";
import { aborted } from "./clock.ts";
import type { Req } from "./transport.ts";

/** What is left of a body that is given up is read, so that its connection can serve again, up to so many bytes and milliseconds. */
const drainLimit = { bytes: 64 * 1024, ms: 1000 };

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
  const drain = async (): Promise<void> => {
    const limit = setTimeout(() => incoming.destroy(), drainLimit.ms);
    const start = received;
    try {
      while (received - start <= drainLimit.bytes) if ((await next()).done) return;
    } catch {
      // It is given up: how it broke is of no interest.
    } finally {
      clearTimeout(limit);
    }
  };
  return streamFrom({
    next,
    async return() {
      if (!ended && (length === undefined || length - received <= drainLimit.bytes)) await drain();
      if (!ended) {
        incoming.destroy();
        end();
      }
      return { done: true, value: undefined };
    },
  });
}

function isReset(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ECONNRESET" || error.code === "ERR_STREAM_PREMATURE_CLOSE")
  );
}

function cutOff(request: Req, received: number, length: number | undefined): Error {
  const of = length === undefined ? "" : ` of ${length}`;
  return brokenResponse(`closed the connection after ${received}${of} bytes of a response`, request, true);
}
