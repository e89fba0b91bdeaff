import { aborted } from "../clock.ts";
import { deadline } from "../deadline.ts";
import { timeoutError } from "../network-error.ts";
import type { Req } from "../transport.ts";
import type { Connection } from "./connection.ts";

/** Nothing is sent before the other end has proven who it is. */
export async function established(connection: Connection, request: Req, isTls: boolean, ms: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  connection.socket.once(isTls ? "secureConnect" : "connect", resolve);
  connection.socket.once("error", reject);
  connection.socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
  const fail = (error: Error): void => {
    reject(error);
    connection.destroy(error);
  };
  await guarded(promise, request, { ms, what: "could not be connected to", fail });
}

/** Waits as long as the signal and the timeout let us. */
export async function guarded<T>(
  work: Promise<T>,
  request: Req,
  { ms, what, fail }: { readonly ms: number; readonly what: string; readonly fail: (error: Error) => void },
): Promise<T> {
  const { signal } = request;
  const timer = deadline();
  const abort = (): void => fail(aborted(signal));
  timer.set(ms, () => fail(timeoutError(what, ms, request)));
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await work;
  } finally {
    timer.stop();
    signal?.removeEventListener("abort", abort);
  }
}
