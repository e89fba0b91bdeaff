import { aborted } from "./clock.ts";
import { deadline } from "./deadline.ts";
import { timeoutsFor } from "./exchange.ts";
import { timeoutError } from "./network-error.ts";
import type { Route } from "./routes.ts";
import type { Req } from "./transport.ts";

/** Waits as long as the signal and the timeout let us. */
export async function guarded<T>(
  work: Promise<T>,
  request: Pick<Req, "url" | "signal">,
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

/** Connects, looking names up and proxies included, within the time that there is for it. */
export async function dialled<T>(
  connect: (stop: AbortSignal) => Promise<T>,
  { request, route, closing }: { request: Pick<Req, "url" | "signal" | "brief">; route: Route; closing: AbortSignal },
): Promise<T> {
  const stop = new AbortController();
  const close = (): void => stop.abort(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
  const what = `could not be connected to${route.proxy ? ` through the proxy ${route.proxy.name}` : ""}`;
  closing.addEventListener("abort", close, { once: true });
  try {
    const fail = (error: Error): void => stop.abort(error);
    return await guarded(connect(stop.signal), request, {
      ms: timeoutsFor(request, route.timeouts).connect,
      what,
      fail,
    });
  } finally {
    closing.removeEventListener("abort", close);
  }
}
