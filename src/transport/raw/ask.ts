import { aborted } from "../clock.ts";
import { deadline } from "../deadline.ts";
import type { Timeouts } from "../exchange.ts";
import { timeoutError } from "../network-error.ts";
import type { Req } from "../transport.ts";
import { upload } from "../upload.ts";
import type { Answer, Connection } from "./connection.ts";
import { guarded } from "../guarded.ts";

/** Sends a request on a connection and waits for its answer; rejects with `fromBody` where the request's body threw. */
export async function ask(connection: Connection, request: Req, head: string, timeouts: Timeouts): Promise<Answer> {
  if (request.body && request.body.size !== 0) return converse(connection, request, head, timeouts);
  const fail = (error: Error): void => connection.destroy(error);
  const answer = connection.exchange(request, head);
  return guarded(answer, request, { ms: timeouts.answer, what: "did not answer", fail });
}

/** Sends a body while it listens: a registry may answer, say 413, before it has read everything. */
async function converse(connection: Connection, request: Req, head: string, timeouts: Timeouts): Promise<Answer> {
  const { socket } = connection;
  const { signal } = request;
  const timer = deadline();
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let isOver = false;
  const abort = (): void => connection.destroy(aborted(signal));
  signal?.addEventListener("abort", abort, { once: true });
  // The head leaves together with the first piece.
  socket.cork();
  const answer = connection.exchange(request, head);
  answer.then(resolve, reject);
  const outlet = {
    write(piece: Uint8Array, sent: () => void): void {
      socket.write(piece, () => sent());
      socket.uncork();
    },
    end(): void {
      connection.sent();
      if (!isOver)
        timer.set(timeouts.answer, () => connection.destroy(timeoutError("did not answer", timeouts.answer, request)));
    },
    destroy: (error: Error): void => connection.destroy(error),
    onSettled: (stop: () => void): void => void answer.then(stop, stop),
  };
  upload(outlet, request, timer, timeouts.idle).catch((error: unknown) => {
    reject({ fromBody: error });
    connection.destroy(new Error("the body of the request broke"));
  });
  try {
    return await promise;
  } finally {
    isOver = true;
    timer.stop();
    signal?.removeEventListener("abort", abort);
  }
}
