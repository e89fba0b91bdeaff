import { RegistryError } from "../oci/error.ts";
import type { Deadline } from "./deadline.ts";
import { timeoutError } from "./network-error.ts";
import type { Req } from "./transport.ts";

/** Where a request's body goes. */
export interface Outlet {
  /** Sends a piece; `sent` is called once it has left our hands. */
  write(piece: Uint8Array, sent: () => void): void;
  /** Says that this was all. */
  end(): void;
  /** Breaks the connection. */
  destroy(error: Error): void;
  /** Calls `stop` once the request is answered or broken. */
  onSettled(stop: () => void): void;
}

/** So many bytes are written at most before the other end's answer, should there be one, is looked at. */
const glance = 256 * 1024;

/**
 * Sends a request's body, each piece only when the one before has left our hands (it may be in a reused buffer). Stops,
 * and gives the body up, as soon as the request is answered or broken. Rejects with what the body threw, or SIZE_INVALID
 * where it is not as long as it said.
 */
export async function upload(outlet: Outlet, request: Req, timer: Deadline, idle: number): Promise<void> {
  const { body } = request;
  if (!body || body.size === 0) return outlet.end();
  let stopped = false;
  let wake = (): void => {};
  let giveUp = (): void => {};
  const stop = (): void => {
    stopped = true;
    wake();
    giveUp();
  };
  outlet.onSettled(stop);
  const source = (await body.open())[Symbol.asyncIterator]();
  giveUp = () => void source.return?.().catch(() => {});
  if (stopped) return giveUp();
  const write = (piece: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      timer.set(idle, () => outlet.destroy(timeoutError("took nothing more of what we sent", idle, request)));
      outlet.write(piece, resolve);
    });
  let sent = 0;
  let unseen = 0;
  for (;;) {
    const { done, value: piece } = await source.next();
    if (stopped) return;
    if (done) break;
    sent += piece.byteLength;
    if (body.size !== undefined && sent > body.size) {
      giveUp();
      throw wrongLength(request, body.size, "more");
    }
    await write(piece);
    timer.stop();
    unseen += piece.byteLength;
    if (unseen >= glance) {
      unseen = 0;
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    if (stopped) return;
  }
  if (body.size !== undefined && sent !== body.size) throw wrongLength(request, body.size, `${sent}`);
  outlet.end();
}

function wrongLength({ method, url }: Req, size: number, got: string): RegistryError {
  return new RegistryError("SIZE_INVALID", `${method} to ${url.host}: the body has ${got} bytes instead of ${size}`, {
    host: url.host,
  });
}
